// What is like a track, and why: the comparison of auralis_fp.similarity, in the page.

const REFERENCES = 300, CANDIDATES = 60;

class Similar {
  constructor(library) {
    this.library = library;
    this.usual = new Map();
    const step = (library.count - 1) / (Math.min(library.count, REFERENCES) - 1 || 1);
    this.references = Array.from({ length: Math.min(library.count, REFERENCES) }, (_, i) => Math.trunc(i * step));
  }

  // The mean difference on the scale over what both tracks have; infinity if that is nothing.
  distance(a, b) {
    let sum = 0, common = 0;
    for (const d of this.library.compared) {
      const apart = Math.abs(this.library.places[d][a] - this.library.places[d][b]);
      if (apart === apart) {
        sum += apart;
        common++;
      }
    }
    return common ? sum / common : Infinity;
  }

  // The nearest tracks in order of mutual proximity, without those that are near to everything.
  nearest(track, count) {
    const near = this.#candidates(track);
    if (this.references.length >= 10) {
      for (const one of near) {
        const [query, other] = [this.#shareNearer(one.distance, track), this.#shareNearer(one.distance, one.track)];
        one.improbable = query + other - query * other;
      }
      near.sort((a, b) => a.improbable - b.improbable || a.distance - b.distance || a.track - b.track);
    }
    return near.slice(0, count);
  }

  // How many of 100 random pairs are farther apart.
  score(distance) {
    const { step, values } = this.library.scores;
    const at = Math.min(distance / step, values.length - 1), below = Math.floor(at);
    const above = Math.min(below + 1, values.length - 1);
    return values[below] + (at - below) * (values[above] - values[below]);
  }

  explain(a, b, names = ["this", "it"]) {
    const { library } = this, { limits, words, alike } = library;
    const apart = new Map();
    for (const d of library.compared) {
      const difference = library.places[d][b] - library.places[d][a];
      if (difference === difference) apart.set(library.dimensions[d].name, difference);
    }
    if (!apart.size) return "they have no number in common";
    const value = (name, track) => library.value(library.indexOf(name), track);
    const common = [], different = [];
    const tempo = this.#tempo(value("tempo_bpm", a), value("tempo_bpm", b), limits.sameTempo);
    if (tempo) (tempo.startsWith("both") ? common : different).push(tempo);
    const described = [...apart.keys()].filter((name) => name in words || name === "lufs")
      .sort((one, other) => Math.abs(apart.get(other)) - Math.abs(apart.get(one)));
    for (const name of described) {
      if (Math.abs(apart.get(name)) >= limits.far) {
        different.push(difference(name, value(name, a), value(name, b), apart.get(name), words));
      }
    }
    if (!common.length) {
      const same = described.findLast((name) => name in alike && Math.abs(apart.get(name)) <= limits.near);
      if (same) {
        const { before, after, factor, digits } = alike[same];
        common.push(`equally ${before}${(factor * value(same, b)).toFixed(digits)}${after})`);
      }
    }
    if (!different.length) common.push(common.length ? "alike in everything else" : "alike in everything");
    const parts = common.length ? [common.join(" and ")] : [];
    if (different.length) parts.push(`${names[1]} is ${listed(different.slice(0, limits.most))}`);
    return parts.join("; ");
  }

  #candidates(track) {
    const distances = new Float32Array(this.library.count);
    const common = new Uint8Array(this.library.count);
    for (const d of this.library.compared) {
      const places = this.library.places[d], own = places[track];
      if (own !== own) continue;
      for (let other = 0; other < distances.length; other++) {
        const apart = Math.abs(places[other] - own);
        if (apart === apart) {
          distances[other] += apart;
          common[other]++;
        }
      }
    }
    const near = [];
    for (let other = 0; other < distances.length; other++) {
      if (other === track || common[other] < 2) continue; // of silence, one number is known
      const distance = distances[other] / common[other];
      if (near.length === CANDIDATES && distance >= near[CANDIDATES - 1].distance) continue;
      let at = near.length;
      while (at && near[at - 1].distance > distance) at--;
      near.splice(at, 0, { track: other, distance });
      if (near.length > CANDIDATES) near.pop();
    }
    return near;
  }

  // The share of tracks that are nearer to a track than a distance.
  #shareNearer(distance, track) {
    if (!this.usual.has(track)) {
      const apart = this.references.map((one) => this.distance(track, one)).filter((one) => one > 0 && one < Infinity);
      const mean = apart.reduce((sum, one) => sum + one, 0) / Math.max(apart.length, 1);
      const variance = apart.reduce((sum, one) => sum + one * one, 0) / Math.max(apart.length, 1) - mean * mean;
      this.usual.set(track, [mean, Math.max(Math.sqrt(Math.max(variance, 0)), 1e-6)]);
    }
    const [mean, spread] = this.usual.get(track);
    return erfc(-(distance - mean) / spread * Math.SQRT1_2) / 2;
  }

  #tempo(a, b, same) {
    if (!(a > 0 && b > 0)) return "";
    const octaves = Math.log2(b / a);
    if (Math.abs(octaves - Math.round(octaves)) > Math.log2(1 + same)) {
      return `${b > a ? "faster" : "slower"} (${b.toFixed(0)} against ${a.toFixed(0)} BPM)`;
    }
    if (Math.round(octaves)) return `both on one pulse (${a.toFixed(0)} and ${b.toFixed(0)} BPM)`;
    return `both near ${((a + b) / 2).toFixed(0)} BPM`;
  }
}

function difference(name, a, b, apart, words) {
  if (name === "lufs") {
    const by = Math.abs(b - a);
    return `${by.toFixed(by >= 1 ? 0 : 1)} LU ${b > a ? "louder" : "quieter"}`;
  }
  const { more, less, what, unit, factor, digits } = words[name];
  const told = [b, a].map((value) => (factor * value).toFixed(digits)).join(" against ");
  return `${apart > 0 ? more : less} (${what} ${told}${unit})`;
}

function listed(parts) {
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0];
}

// The complementary error function: its series, and in the tail, where near tracks are, its continued fraction.
function erfc(x) {
  if (x < 0) return 2 - erfc(-x);
  if (x > 2) {
    let fraction = 0;
    for (let k = 40; k > 0; k--) fraction = (k / 2) / (x + fraction);
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
  }
  let term = x, sum = x;
  for (let k = 1; k < 40; k++) {
    term *= -x * x / k;
    sum += term / (2 * k + 1);
  }
  return 1 - 2 / Math.sqrt(Math.PI) * sum;
}
