// The map: every track a point, drawn by Bokeh; what is on the two axes, and what the colours mean.

const CATEGORIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c62c9"];
const SCALE = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
// For a light background: no yellow, which is hardly seen there.
const SCALE_LIGHT = ["#440154", "#443983", "#31688e", "#21918c", "#2a9d5c", "#5aa02c", "#9a9a00", "#c99700"];
const OTHER = "#8b93a0";
const REACH = 12; // pixels around the pointer

class TrackMap {
  constructor(library, place, { choose, select }) {
    this.library = library;
    this.place = place;
    this.choose = choose;
    this.select = select;
    this.matching = null;
    this.near = -1;
    this.axes = [
      ...library.axes.map((axis, rank) => ({
        name: `${axis.low} ↔ ${axis.high}`,
        title: `Principal component ${rank + 1}, ${Math.round(100 * axis.share)} % of all differences`,
        low: axis.low, high: axis.high, values: library.positions[rank],
      })),
      ...library.dimensions.map((dimension, d) => ({
        name: readable(dimension.name) + (dimension.unit ? `, ${dimension.unit}` : ""),
        title: dimension.meaning, d,
      })),
    ];
    this.across = 0;
    this.up = 1;
    this.colours = this.#colours();
    this.colour = 0;
  }

  // The positions of all tracks on an axis; NaN where the number is undefined.
  values(axis) {
    const { values, d } = this.axes[axis];
    if (values) return values;
    return (this.axes[axis].values = Float32Array.from({ length: this.library.count }, (_, track) => this.library.value(d, track)));
  }

  prepare() {
    const { Plotting, Range1d, LinearColorMapper, ColumnDataSource, PanTool, WheelZoomTool, BoxSelectTool } = Bokeh;
    this.x = new Range1d({ start: 0, end: 1 });
    this.y = new Range1d({ start: 0, end: 1 });
    this.pan = new PanTool();
    this.wheel = new WheelZoomTool();
    this.box = new BoxSelectTool({ renderers: [] });
    this.figure = new Plotting.Figure({
      sizing_mode: "stretch_both", toolbar_location: null, x_range: this.x, y_range: this.y,
      tools: [this.pan, this.wheel, this.box], outline_line_color: null, min_border_right: 12,
      lod_threshold: 8000, lod_factor: 8, lod_timeout: 250, // of very many tracks, fewer are drawn while the map moves
    });
    this.figure.toolbar.active_scroll = this.wheel;
    this.mapper = new LinearColorMapper({ palette: CATEGORIES, low: -0.5, high: CATEGORIES.length - 0.5 });
    const count = this.library.count, size = count > 20000 ? 3 : count > 2000 ? 5 : 8;
    const zeros = new Float32Array(count);
    this.points = new ColumnDataSource({ data: { x: zeros, y: zeros, code: zeros, alpha: zeros } });
    this.figure.scatter({ field: "x" }, { field: "y" }, {
      source: this.points, size, line_color: null, marker: count > 20000 ? "square" : "circle", // squares take less time
      fill_color: { field: "code", transform: this.mapper }, fill_alpha: { field: "alpha" },
    });
    this.rings = {};
    for (const [name, ring, width] of [["selected", size + 4, 1.5], ["alike", size + 6, 2], ["chosen", size + 10, 3], ["near", size + 6, 1.5]]) {
      const source = new ColumnDataSource({ data: { x: [], y: [] } });
      const glyph = this.figure.scatter({ field: "x" }, { field: "y" }, { source, size: ring, fill_color: null, line_width: width });
      glyph.level = "overlay"; // which is drawn without drawing all tracks again
      this.rings[name] = { source, glyph, tracks: [] };
    }
    this.figure.on_event("tap", ({ x, y }) => this.#tapped(x, y));
    this.figure.on_event("mousemove", ({ x, y }) => this.point(this.#nearest(x, y)));
    this.figure.on_event("mouseleave", () => this.point(-1));
    this.figure.on_event("selectiongeometry", ({ geometry, final }) => final && this.#boxed(geometry));
    this.paint();
    this.place.addEventListener("keydown", (event) => this.#key(event));
  }

  async draw() {
    this.view = await Bokeh.Plotting.show(this.figure, this.place);
  }

  dragging(what) {
    this.pan.active = what === "move";
    this.box.active = what === "select";
  }

  // Put the axes on the map that are chosen, and all tracks into view.
  show() {
    this.whole();
    this.points.data = { ...this.points.data, x: this.values(this.across), y: this.values(this.up) };
    for (const name of Object.keys(this.rings)) this.ring(name, this.rings[name].tracks);
  }

  whole() {
    for (const [range, values] of [[this.x, this.values(this.across)], [this.y, this.values(this.up)]]) {
      let low = Infinity, high = -Infinity;
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      const margin = 0.04 * (high - low) || 1;
      if (low <= high) range.setv({ start: low - margin, end: high + margin });
    }
  }

  zoom(factor, tracks = null) {
    for (const [range, axis] of [[this.x, this.across], [this.y, this.up]]) {
      const middle = tracks === null ? (range.start + range.end) / 2 : this.values(axis)[tracks];
      const half = (range.end - range.start) / 2 * factor;
      if (half > 0 && half < 1e9) range.setv({ start: middle - half, end: middle + half });
    }
  }

  // Colour the tracks by what is chosen; those that are not found are faint.
  colourTracks() {
    const { codes, entries } = this.#coded();
    const alpha = new Float32Array(this.library.count);
    for (let track = 0; track < alpha.length; track++) alpha[track] = !this.matching || this.matching[track] ? 0.8 : 0.06;
    const palette = entries.map((entry) => entry.colour);
    this.mapper.setv({ palette, low: -0.5, high: palette.length - 0.5 });
    this.points.data = { ...this.points.data, code: codes, alpha };
    return entries;
  }

  // Take on the colours of the theme.
  paint() {
    const style = getComputedStyle(document.documentElement);
    const [text, line, back, mark] = ["--text", "--line", "--panel", "--mark"].map((name) => style.getPropertyValue(name).trim());
    this.dark = style.getPropertyValue("--dark").trim() === "1";
    this.figure.setv({ background_fill_color: back, border_fill_color: back });
    for (const part of [...this.figure.center, ...this.figure.left, ...this.figure.below]) {
      if ("grid_line_color" in part) part.setv({ grid_line_color: line });
      if ("major_label_text_color" in part) {
        part.setv({ axis_line_color: line, major_tick_line_color: line, minor_tick_line_color: null, major_label_text_color: text });
      }
    }
    for (const [name, { glyph }] of Object.entries(this.rings)) glyph.glyph.line_color = { value: name === "chosen" ? mark : text };
  }

  ring(name, tracks) {
    const { source } = this.rings[name];
    this.rings[name].tracks = tracks;
    source.data = { x: tracks.map((track) => this.values(this.across)[track]), y: tracks.map((track) => this.values(this.up)[track]) };
  }

  // Note the track that the pointer or the keyboard is at.
  point(track) {
    if (track === this.near) return;
    this.near = track;
    this.ring("near", track < 0 ? [] : [track]);
    this.place.dispatchEvent(new CustomEvent("near", { detail: track }));
  }

  #tapped(x, y) {
    const track = this.#nearest(x, y);
    if (track >= 0) this.choose(track);
  }

  #boxed({ x0, x1, y0, y1 }) {
    const [xs, ys] = [this.values(this.across), this.values(this.up)];
    const found = [];
    for (let track = 0; track < xs.length; track++) {
      const inside = xs[track] >= Math.min(x0, x1) && xs[track] <= Math.max(x0, x1)
        && ys[track] >= Math.min(y0, y1) && ys[track] <= Math.max(y0, y1);
      if (inside && (!this.matching || this.matching[track])) found.push(track);
    }
    this.select(found);
  }

  #pixel() {
    return [(this.x.end - this.x.start) / this.figure.inner_width, (this.y.end - this.y.start) / this.figure.inner_height];
  }

  #nearest(x, y) {
    const [xs, ys] = [this.values(this.across), this.values(this.up)], [dx, dy] = this.#pixel();
    let nearest = -1, least = REACH * REACH;
    for (let track = 0; track < xs.length; track++) {
      const apart = ((xs[track] - x) / dx) ** 2 + ((ys[track] - y) / dy) ** 2;
      if (apart < least && (!this.matching || this.matching[track])) [nearest, least] = [track, apart];
    }
    return nearest;
  }

  #key(event) {
    const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key in steps) this.point(this.#next(...steps[event.key]));
    else if (event.key === "Enter" && this.near >= 0) this.choose(this.near);
    else if (event.key === " " && this.near >= 0) this.select([this.near]);
    else if (event.key === "+") this.zoom(0.7, this.near < 0 ? null : this.near);
    else if (event.key === "-") this.zoom(1 / 0.7);
    else return;
    event.preventDefault();
  }

  // The nearest track in a direction; the one in the middle of the map to begin with.
  #next(right, up) {
    const [xs, ys] = [this.values(this.across), this.values(this.up)], [dx, dy] = this.#pixel();
    const from = this.near;
    const [x, y] = from < 0 ? [(this.x.start + this.x.end) / 2, (this.y.start + this.y.end) / 2] : [xs[from], ys[from]];
    let nearest = from, least = Infinity;
    for (let track = 0; track < xs.length; track++) {
      if (track === from || (this.matching && !this.matching[track])) continue;
      const [h, v] = [(xs[track] - x) / dx, (ys[track] - y) / dy];
      const along = h * right + v * up, aside = Math.abs(h * up) + Math.abs(v * right);
      if (from >= 0 && (along <= 0 || aside > along)) continue;
      const apart = Math.abs(along) + 2 * aside;
      if (apart < least) [nearest, least] = [track, apart];
    }
    return nearest;
  }

  #colours() {
    const { library } = this;
    const kinds = library.findings;
    const tempo = library.indexOf("tempo_bpm");
    return [
      { name: "format", of: (track) => library.format(track) },
      { name: "folder", of: (track) => library.part(track) },
      { name: "artist", of: (track) => library.artist(track) || "(not known)" },
      { name: "finding", of: (track) => library.findingsOf.has(track) ? kinds[library.findingsOf.get(track)[0]] : library.tracks.known[track] ? "none" : "not known" },
      { name: "tempo", d: tempo },
      ...library.dimensions.map((dimension, d) => ({ name: readable(dimension.name), d })).filter(({ d }) => d !== tempo),
    ];
  }

  #coded() {
    const { of, d } = this.colours[this.colour];
    return d === undefined ? this.#byCategory(of) : this.#byNumber(d);
  }

  #byCategory(of) {
    const names = Array.from({ length: this.library.count }, (_, track) => of(track));
    const counts = new Map();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    const ordered = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const plain = ordered.filter(([name]) => !PLAIN.has(name)).slice(0, CATEGORIES.length);
    const numbers = new Map(plain.map(([name], number) => [name, number]));
    const entries = plain.map(([name, count], number) => ({ name, count, colour: CATEGORIES[number] }));
    const rest = names.length - plain.reduce((sum, [, count]) => sum + count, 0);
    if (rest) {
      const grey = ordered.filter(([name]) => !numbers.has(name));
      entries.push({ name: grey.length === 1 ? grey[0][0] : `${grey.length} others`, count: rest, colour: OTHER });
    }
    return { codes: Float32Array.from(names, (name) => numbers.get(name) ?? plain.length), entries };
  }

  // Eight classes with as many tracks in each.
  #byNumber(d) {
    const levels = this.library.levels[d], { unit } = this.library.dimensions[d];
    const known = levels.filter((level) => level !== ABSENT).sort();
    const bounds = [...new Set(SCALE.slice(1).map((_, i) => known[Math.floor((i + 1) * known.length / SCALE.length)]))];
    const codes = Float32Array.from(levels, (level) => {
      if (level === ABSENT) return bounds.length + 1;
      let code = 0;
      while (code < bounds.length && level >= bounds[code]) code++;
      return code;
    });
    const counts = new Uint32Array(bounds.length + 2);
    for (const code of codes) counts[code]++;
    const palette = this.dark ? SCALE : SCALE_LIGHT, said = (level) => four(this.library.valueOf(d, level));
    const entries = [...bounds, null].map((bound, i) => ({
      name: `${i ? `${said(bounds[i - 1])} to ` : "up to "}${said(bound ?? known.at(-1) ?? ABSENT)} ${unit}`,
      count: counts[i], colour: palette[Math.round(i * (palette.length - 1) / Math.max(bounds.length, 1))],
    }));
    entries.push({ name: "undefined", count: counts.at(-1), colour: OTHER });
    return { codes, entries };
  }
}

const PLAIN = new Set(["none", "not known", "(not known)"]);
