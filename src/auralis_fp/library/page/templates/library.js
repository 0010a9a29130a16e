// The content of the page, unpacked: what is known about every track, and its 25 numbers.
// Whatever comes from a library is text: it reaches the page through textContent, and nothing else.

const ABSENT = 65535;

async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent);
  const packed = new Uint8Array(text.length);
  for (let at = 0; at < packed.length; at++) packed[at] = text.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// Text with everything escaped that is invisible, turns the direction of its line, or is no character: as the
// commands print it.
function shown(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0).toString(16);
    if (character in ESCAPES) return ESCAPES[character];
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
}

const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

// The value of a function at x that is known at some places, and linear between them.
function interpolated(x, xs, ys) {
  let low = 0, high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  if (low === 0 || xs[low] <= x) return ys[low];
  return ys[low - 1] + (x - xs[low - 1]) / (xs[low] - xs[low - 1]) * (ys[low] - ys[low - 1]);
}

class Library {
  static async read() {
    const [texts, levels] = await Promise.all(["texts", "levels"].map(unpacked));
    return new Library(JSON.parse(new TextDecoder().decode(texts)), levels);
  }

  constructor(content, levels) {
    Object.assign(this, content);
    this.count = this.tracks.id.length;
    this.levels = this.dimensions.map((_, d) => new Uint16Array(levels, 2 * d * this.count, this.count));
    this.places = this.dimensions.map((_, d) => this.#places(d));
    this.positions = this.axes.map((axis) => this.#positions(axis));
    this.findingsOf = new Map();
    for (const [track, kind] of this.found) {
      if (!this.findingsOf.has(track)) this.findingsOf.set(track, []);
      this.findingsOf.get(track).push(kind);
    }
    this.root = this.#commonRoot();
  }

  indexOf(name) {
    return this.dimensions.findIndex((dimension) => dimension.name === name);
  }

  // The value of dimension d of a track; NaN where it is undefined.
  value(d, track) {
    return this.valueOf(d, this.levels[d][track]);
  }

  valueOf(d, level) {
    const { scale, step } = this.dimensions[d];
    return level === ABSENT ? NaN : interpolated(scale.places[0] + level * step, scale.places, scale.values);
  }

  title(track) {
    return this.tracks.title[track] || shown(this.tracks.file[track].replace(/(?<=.)\.[^.]*$/, ""));
  }

  artist(track) {
    return this.artists[this.tracks.artist[track]];
  }

  album(track) {
    return this.albums[this.tracks.album[track]];
  }

  format(track) {
    return this.formats[this.tracks.format[track]];
  }

  folder(track) {
    return this.folders[this.tracks.folder[track]];
  }

  // The part of a folder's name that tells parts of the library apart.
  part(track) {
    const rest = this.folder(track).slice(this.root.length).split("/").filter(Boolean);
    return rest.length ? shown(rest[0]) : "(top)";
  }

  path(track) {
    const folder = this.folder(track);
    return folder.endsWith("/") || !folder ? folder + this.tracks.file[track] : `${folder}/${this.tracks.file[track]}`;
  }

  // A link from the page to the file of a track; null where its path is not one of this machine.
  link(track) {
    const path = this.path(track);
    if (!path.startsWith("/")) return null;
    const from = this.pageFolder.split("/").filter(Boolean);
    const to = path.split("/").slice(1);
    let same = 0;
    while (same < from.length && same < to.length - 1 && from[same] === to[same]) same++;
    const steps = [...Array(from.length - same).fill(".."), ...to.slice(same).map(asUrl)];
    return `./${steps.join("/")}`;
  }

  // Where the tracks are on the scale that they are compared on.
  #places(d) {
    const { scale, step, compared } = this.dimensions[d];
    const levels = this.levels[d], first = scale.places[0];
    const places = new Float32Array(this.count);
    for (let track = 0; track < this.count; track++) {
      const level = levels[track];
      if (level === ABSENT) places[track] = NaN;
      else places[track] = compared ? interpolated(this.valueOf(d, level), compared.values, compared.places) : first + level * step;
    }
    return places;
  }

  #positions(axis) {
    const positions = new Float32Array(this.count).fill(-axis.offset);
    axis.loadings.forEach((loading, d) => {
      if (!loading) return;
      const places = this.places[d];
      for (let track = 0; track < this.count; track++) positions[track] += loading * (places[track] || 0);
    });
    return positions;
  }

  #commonRoot() {
    let root = this.folders[0].split("/");
    for (const folder of this.folders) {
      const parts = folder.split("/");
      let same = 0;
      while (same < root.length && root[same] === parts[same]) same++;
      root = root.slice(0, same);
    }
    return root.join("/");
  }
}

// A part of a path as part of a URL; Python's lone surrogates are the bytes of names that are not UTF-8.
function asUrl(part) {
  return Array.from(part, (character) => {
    const code = character.codePointAt(0);
    if (code >= 0xdc80 && code <= 0xdcff) return `%${(code - 0xdc00).toString(16).toUpperCase()}`;
    return code >= 0xd800 && code <= 0xdfff ? "%EF%BF%BD" : encodeURIComponent(character);
  }).join("");
}

function readable(name) {
  return name.replace(/_(pct|db|bpm|std)$/, "").replaceAll("_", " ").replace("lufs", "loudness");
}

// A number with four digits, of which none is behind the fifth place after the point.
function four(value) {
  return Number.isNaN(value) ? "undefined" : String(Number(Number(value.toPrecision(4)).toFixed(5)));
}

function minutes(seconds) {
  const whole = Math.round(seconds);
  return seconds ? `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}` : "";
}

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
