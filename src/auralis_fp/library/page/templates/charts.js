// Small charts as SVG: how a number is distributed, and where a track is among the others.

const BINS = 40, SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

class Histogram {
  constructor(library, d, choose) {
    this.library = library;
    this.d = d;
    const dimension = library.dimensions[d];
    const { values } = dimension.scale, known = library.levels[d].filter((level) => level !== ABSENT).sort();
    this.low = values[0] ?? 0;
    this.high = values.at(-1) ?? 0;
    const counts = new Uint32Array(BINS);
    for (const level of known) counts[this.#bin(library.valueOf(d, level))]++;
    const most = Math.max(...counts);
    const label = known.length
      ? `${readable(dimension.name)}: from ${four(this.low)} to ${four(this.high)} ${dimension.unit}, half of the tracks below ${four(library.valueOf(d, known[known.length >> 1]))}`
      : `${readable(dimension.name)}: undefined in all tracks`;
    this.chart = svg("svg", { viewBox: "0 0 200 56", role: "img", "aria-label": label, preserveAspectRatio: "none" });
    counts.forEach((count, bin) => {
      const height = most ? Math.max(count && 0.6, 52 * count / most) : 0;
      this.chart.append(svg("rect", { x: bin * 5 + 0.4, y: 56 - height, width: 4.2, height }));
    });
    this.line = svg("line", { y1: 0, y2: 56, class: "here", visibility: "hidden" });
    this.chart.append(this.line);
    const button = element("button", { type: "button", className: "plain", textContent: readable(dimension.name) });
    button.setAttribute("aria-label", `Put ${readable(dimension.name)} on the map`);
    button.addEventListener("click", () => choose(d));
    const ends = element("p", { className: "ends" });
    ends.append(element("span", { textContent: four(this.low) }), element("span", { textContent: dimension.unit }), element("span", { textContent: four(this.high) }));
    this.figure = element("figure", {}, element("figcaption", { title: dimension.meaning }, button), this.chart, ends);
  }

  mark(track) {
    const value = track === null ? NaN : this.library.value(this.d, track);
    this.line.setAttribute("visibility", Number.isNaN(value) ? "hidden" : "visible");
    if (Number.isNaN(value)) return;
    const at = 200 * (value - this.low) / (this.high - this.low || 1);
    this.line.setAttribute("x1", at);
    this.line.setAttribute("x2", at);
  }

  #bin(value) {
    return Math.min(Math.floor(BINS * (value - this.low) / (this.high - this.low || 1)), BINS - 1);
  }
}

// The share of tracks with a smaller number, equal ones by half, in percent; NaN where it is undefined.
function percentile(library, d, track) {
  const levels = library.levels[d], own = levels[track];
  if (own === ABSENT) return NaN;
  let below = 0, equal = 0, known = 0;
  for (const level of levels) {
    below += level < own;
    equal += level === own;
    known += level !== ABSENT;
  }
  return 100 * (below + equal / 2) / known;
}

function percentileBar(share) {
  const bar = element("span", { className: "percentile" });
  const dot = element("span");
  dot.style.left = `${share}%`;
  bar.append(dot);
  bar.setAttribute("aria-hidden", "true");
  return bar;
}
