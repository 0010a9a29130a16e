// The page put together: what is chosen, selected and searched, and who is told.

const by = (id) => document.getElementById(id);

async function main() {
  const library = await Library.read();
  const similar = new Similar(library);
  const selected = new Set();
  const texts = [];
  let chosen = null;

  const map = new TrackMap(library, by("canvas"), { choose, select: (tracks) => select(tracks) });
  const details = new Details(library, similar, by("details"), { choose, play, copy });
  const histograms = [];

  // --- tables ---
  const opening = (track) => {
    const button = element("button", { type: "button", className: "plain" }, element("bdi", { textContent: library.title(track) }));
    button.addEventListener("click", () => {
      choose(track);
      by("map").scrollIntoView();
    });
    return button;
  };
  const isolated = (text) => element("bdi", { textContent: text });
  const number = (name, of) => ({ name, number: true, value: of, cell: (track) => four(of(track)) });
  const onAxis = (side) => {
    const axis = map.axes[map[side]];
    return number(`${side}: ${axis.high ? axis.high.split(",")[0] : axis.name}`, (track) => map.values(map[side])[track]);
  };
  const columns = () => [
    { name: "select", cell: (track) => ticked(track) },
    { name: "title", head: true, value: (track) => library.title(track), cell: opening },
    { name: "artist", value: (track) => library.artist(track), cell: (track) => isolated(library.artist(track)) },
    { name: "folder", value: (track) => library.folder(track), cell: (track) => isolated(shown(library.folder(track).slice(library.root.length) || "/")) },
    { name: "format", value: (track) => library.format(track), cell: (track) => library.format(track) },
    { name: "length", number: true, value: (track) => library.tracks.seconds[track] || NaN, cell: (track) => minutes(library.tracks.seconds[track]) },
    number("tempo, BPM", (track) => library.value(library.indexOf("tempo_bpm"), track)),
    number("LUFS", (track) => library.value(library.indexOf("lufs"), track)),
    onAxis("across"), onAxis("up"),
  ];
  const tracks = new Rows(by("tracks-table"), "The tracks of the map", columns(), () => {
    by("tracks-count").textContent = `${tracks?.place ?? ""}${map.matching ? " found" : ""}`;
  });
  const kinds = [...library.findings, "Failed"];
  const faults = [
    ...library.found.map(([track, kind, detail, severity]) => ({ track, kind, detail, severity, path: shown(library.path(track)) })),
    ...library.failures.map(([, path, reason]) => ({ track: null, kind: kinds.length - 1, detail: reason, severity: 0, path: shown(path) })),
  ];
  const findings = new Rows(by("findings-table"), "Recordings with findings, and files that could not be measured", [
    { name: "finding", value: (row) => kinds[row.kind], cell: (row) => kinds[row.kind] },
    { name: "what", value: (row) => row.detail, cell: (row) => isolated(row.detail) },
    { name: "how bad", number: true, value: (row) => row.severity, cell: (row) => row.severity ? four(row.severity) : "" },
    { name: "track", value: (row) => row.track === null ? "" : library.title(row.track), cell: (row) => row.track === null ? "" : opening(row.track) },
    { name: "path", head: true, value: (row) => row.path, cell: (row) => isolated(row.path) },
  ], () => {
    by("findings-count").textContent = findings?.place ?? "";
  });

  // --- what happens ---
  function choose(track) {
    chosen = track;
    details.show(track);
    by("at").replaceChildren("Chosen: ", named(track));
    map.ring("chosen", [track]);
    map.ring("alike", details.near.map((one) => one.track));
    histograms.forEach((one) => one.mark(track));
  }

  function named(track) {
    return element("bdi", { textContent: [library.artist(track), library.title(track)].filter(Boolean).join(" - ") });
  }

  function ticked(track) {
    const box = element("input", { type: "checkbox", checked: selected.has(track) });
    box.setAttribute("aria-label", `Select ${library.title(track)}`);
    box.addEventListener("change", () => select([track], box.checked));
    return box;
  }

  function select(those, on = true) {
    for (const track of those) on ? selected.add(track) : selected.delete(track);
    map.ring("selected", [...selected].slice(0, 5000));
    tracks.show();
    bar();
  }

  function bar() {
    by("selected").textContent = selected.size ? `${selected.size} selected` : "";
    for (const id of ["download", "clear"]) by(id).hidden = !selected.size;
    by("bar").hidden = !selected.size && by("player").hidden;
  }

  function play(track) {
    const player = by("player");
    player.hidden = false;
    player.src = library.link(track);
    player.play().catch(() => {
      by("playing").textContent = "This browser cannot play the file, or it is not there any more.";
    });
    by("playing").replaceChildren(element("bdi", { textContent: library.title(track) }));
    bar();
  }

  function copy(text) {
    const area = element("textarea", { value: text, className: "away" });
    area.setAttribute("aria-hidden", "true");
    document.body.append(area);
    area.select();
    document.execCommand("copy"); // the newer way is not there for pages from files
    area.remove();
  }

  function search() {
    const words = folded(by("search").value).split(/\s+/).filter(Boolean);
    if (!words.length) map.matching = null;
    else {
      map.matching = new Uint8Array(library.count);
      for (let track = 0; track < library.count; track++) {
        texts[track] ??= folded(`${library.title(track)} ${library.artist(track)} ${library.album(track)} ${shown(library.path(track))}`);
        map.matching[track] = words.every((word) => texts[track].includes(word));
      }
    }
    tracks.fill(everything().filter((track) => !map.matching || map.matching[track]));
    map.colourTracks();
  }

  function everything() {
    return Array.from({ length: library.count }, (_, track) => track);
  }

  function fault() {
    const kind = by("kind").value, text = folded(by("findings-search").value);
    findings.fill(faults.filter((row) => (kind === "" || row.kind === Number(kind)) && folded(`${row.detail} ${row.path}`).includes(text)));
  }

  function legend() {
    by("legend").replaceChildren(...map.colourTracks().filter((entry) => entry.count).map(({ name, count, colour }) => {
      const swatch = element("span", { className: "swatch" });
      swatch.style.background = colour;
      return element("li", {}, swatch, element("bdi", { textContent: name }), element("span", { className: "count", textContent: ` ${count}` }));
    }));
  }

  function axes() {
    map.across = Number(by("across").value);
    map.up = Number(by("up").value);
    map.show();
    const [across, up] = [map.axes[map.across], map.axes[map.up]];
    by("across-low").textContent = across.low ? `← ${across.low}` : "";
    by("across-high").textContent = `${across.high ?? across.name} →`;
    by("up-low").textContent = up.low ? `↓ ${up.low}` : "";
    by("up-high").textContent = `↑ ${up.high ?? up.name}`;
    for (const [axis, ids] of [[across, ["across-low", "across-high"]], [up, ["up-low", "up-high"]]]) {
      for (const id of ids) by(id).title = axis.title;
    }
    tracks.columns = columns();
    tracks.show();
  }

  function putOnMap(d) {
    by("across").value = String(library.axes.length + d);
    axes();
    by("map").scrollIntoView();
  }

  function theme(asked) {
    document.documentElement.dataset.theme = typeof asked === "string" ? asked : by("theme").value;
    map.paint();
    legend();
  }

  function download() {
    const left = [];
    const lines = ["#EXTM3U"];
    for (const track of selected) {
      const path = library.path(track);
      if (!path.isWellFormed() || /[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]/.test(path)) left.push(track);
      else {
        lines.push(`#EXTINF:${Math.round(library.tracks.seconds[track]) || -1},${named(track).textContent}`, path);
      }
    }
    const link = element("a", { href: URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "audio/x-mpegurl" })), download: "selection.m3u8" });
    link.click();
    URL.revokeObjectURL(link.href);
    by("selected").textContent = `${selected.size - left.length} tracks in selection.m3u8${left.length ? `; ${left.length} left out, whose names the format cannot hold` : ""}`;
  }

  // --- controls ---
  const options = (id, names) => by(id).append(...names.map(([value, text]) => element("option", { value, textContent: text })));
  const axisNames = map.axes.map((axis, i) => [String(i), axis.name]);
  options("across", axisNames);
  options("up", axisNames);
  by("up").value = "1";
  options("colour", map.colours.map((colour, i) => [String(i), colour.name]));
  options("kind", [["", "all"], ...kinds.map((kind, i) => [String(i), `${kind} (${faults.filter((row) => row.kind === i).length})`])]);
  const on = (id, event, action) => by(id).addEventListener(event, action);
  on("across", "change", axes);
  on("up", "change", axes);
  on("colour", "change", () => {
    map.colour = Number(by("colour").value);
    legend();
  });
  on("drag", "change", () => map.dragging(by("drag").value));
  on("closer", "click", () => map.zoom(0.7));
  on("farther", "click", () => map.zoom(1 / 0.7));
  on("whole", "click", () => map.whole());
  on("canvas", "near", ({ detail: track }) => {
    if (track >= 0) by("at").replaceChildren(named(track));
    else by("at").textContent = "Click a track, or move over the map.";
  });
  on("search", "input", search);
  on("kind", "change", fault);
  on("findings-search", "input", fault);
  on("copy-paths", "click", () => {
    const paths = [...new Set(findings.rows.map((row) => row.path))];
    copy(paths.join("\n"));
    by("findings-count").textContent = `${paths.length} paths copied`;
  });
  on("select-found", "click", () => select(tracks.rows));
  on("download", "click", download);
  on("clear", "click", () => select([...selected], false));
  on("theme", "change", theme);
  for (const button of document.querySelectorAll("[data-pages]")) {
    button.addEventListener("click", () => (button.dataset.pages === "tracks" ? tracks : findings).turn(Number(button.dataset.step)));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
  addEventListener("beforeprint", () => theme("light"));
  addEventListener("afterprint", () => theme());

  bar();
  map.prepare();
  legend();
  axes();
  tracks.fill(everything());
  fault();
  await map.draw();
  globalThis.auralis = { library, similar, map, choose, get chosen() { return chosen; }, selected };
  document.documentElement.dataset.ready = "yes";
  for (let d = 0; d < library.dimensions.length; d++) {
    await new Promise((done) => setTimeout(done)); // clicks come first
    histograms.push(new Histogram(library, d, putOnMap));
    histograms[d].mark(chosen);
    by("histograms").append(histograms[d].figure);
  }
  document.documentElement.dataset.ready = "all";
}

function folded(text) {
  return text.normalize("NFKC").toLowerCase();
}

main().catch((error) => {
  const note = element("p", { className: "note", textContent: `The page cannot be shown: ${error.message}. It needs a browser of 2023 or later.` });
  document.querySelector("main").prepend(note);
  throw error;
});
