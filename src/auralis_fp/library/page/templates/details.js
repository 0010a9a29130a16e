// One track: its numbers among those of the library, and what is like it.

const ALIKE = 12;

class Details {
  constructor(library, similar, place, { choose, play, copy }) {
    Object.assign(this, { library, similar, place, choose, play, copy });
  }

  show(track) {
    const { library } = this;
    const heading = element("h3", {}, element("bdi", { textContent: library.title(track) }));
    const path = element("p", { className: "path", textContent: shown(library.path(track)) });
    const facts = [library.artist(track), library.album(track), library.format(track), minutes(library.tracks.seconds[track])];
    const about = element("p", { className: "about" });
    facts.filter(Boolean).forEach((fact, i) => about.append(i ? " · " : "", element("bdi", { textContent: fact })));
    const buttons = element("p", { className: "buttons" });
    if (library.link(track)) buttons.append(this.#button("▶ Play", () => this.play(track)), this.#link(track));
    buttons.append(this.#button("Copy path", () => this.copy(shown(library.path(track)))));
    this.near = this.similar.nearest(track, ALIKE);
    this.place.replaceChildren(heading, about, path, buttons, ...this.#findings(track), this.#alike(track), this.#numbers(track));
    this.place.scrollTop = 0;
  }

  #button(text, action) {
    const button = element("button", { type: "button", textContent: text });
    button.addEventListener("click", action);
    return button;
  }

  #link(track) {
    return element("a", { href: this.library.link(track), textContent: "Open the file", target: "_blank", rel: "noopener noreferrer" });
  }

  #findings(track) {
    const found = this.library.found.filter(([one]) => one === track);
    if (found.length) {
      const list = element("ul", { className: "found" });
      for (const [, kind, detail] of found) list.append(element("li", { textContent: `${this.library.findings[kind]}: ${detail}` }));
      return [list];
    }
    if (this.library.tracks.known[track]) return [];
    return [element("p", { className: "note", textContent: "Whether the recording is damaged is not known: there is no valid .25d file beside it. auralis-fp scan writes one when it measures a track." })];
  }

  #alike(track) {
    const section = element("section", {}, element("h4", { textContent: "What is like it" }));
    if (!this.near.length) section.append(element("p", { textContent: "Nothing can be compared with it: hardly a number of it is defined." }));
    const list = element("ol", { className: "alike" });
    for (const { track: other, distance } of this.near) {
      const button = element("button", { type: "button", className: "plain" }, element("bdi", { textContent: this.library.title(other) }));
      button.addEventListener("click", () => this.choose(other));
      const artist = this.library.artist(other);
      const score = this.similar.score(distance);
      list.append(element("li", {},
        element("span", { className: "score", textContent: score === null || Number.isNaN(score) ? "" : `${score.toFixed(1)} %`, title: "so many of 100 random pairs of tracks are farther apart" }),
        element("span", {}, button, artist ? element("span", { className: "by" }, " ", element("bdi", { textContent: artist })) : "",
          element("span", { className: "why", textContent: this.similar.explain(track, other) }))));
    }
    section.append(list);
    return section;
  }

  #numbers(track) {
    const { library } = this;
    const body = element("tbody");
    library.dimensions.forEach((dimension, d) => {
      const value = library.value(d, track), share = percentile(library, d, track);
      const known = !Number.isNaN(value);
      const where = element("span", { className: "where" });
      if (known) where.append(percentileBar(share), element("span", { className: "number", textContent: `${share.toFixed(0)} %` }));
      body.append(element("tr", {},
        element("th", { scope: "row", textContent: readable(dimension.name), title: dimension.meaning }),
        element("td", { className: "number", textContent: known ? `${four(value)} ${dimension.unit}` : "undefined" }), element("td", {}, where)));
    });
    const head = element("thead", {}, element("tr", {}, ...["number", "value", "tracks with less"].map((text) => element("th", { scope: "col", textContent: text }))));
    return element("table", { className: "values" }, element("caption", { textContent: "Its numbers in the library" }), head, body);
  }
}
