// Tables that are sorted by a click on their heads and shown a page at a time.

const ROWS = 25;

class Rows {
  // A column has a name, the value that it is sorted by, and what a cell of it holds.
  constructor(table, caption, columns, changed = () => {}) {
    this.columns = columns;
    this.changed = changed;
    this.rows = [];
    this.start = 0;
    this.sorted = null;
    this.down = false;
    this.head = element("tr");
    this.body = element("tbody");
    table.append(element("caption", { textContent: caption }), element("thead", {}, this.head), this.body);
    this.heads();
  }

  heads() {
    this.head.replaceChildren(...this.columns.map((column, number) => {
      const cell = element("th", { scope: "col" });
      if (column.number) cell.className = "number";
      if (!column.value) {
        cell.append(column.name);
        return cell;
      }
      const button = element("button", { type: "button", className: "plain", textContent: column.name });
      button.addEventListener("click", () => this.sort(number));
      if (this.sorted === number) cell.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      cell.append(button);
      return cell;
    }));
  }

  fill(rows) {
    this.rows = rows;
    this.start = 0;
    this.#order();
    this.show();
  }

  sort(number) {
    this.down = this.sorted === number && !this.down;
    this.sorted = number;
    this.start = 0;
    this.#order();
    this.show();
    this.head.querySelectorAll("th")[number].querySelector("button").focus();
  }

  turn(step) {
    const start = this.start + step * ROWS;
    if (start >= 0 && start < this.rows.length) this.start = start;
    this.show();
  }

  show() {
    this.heads();
    this.body.replaceChildren(...this.rows.slice(this.start, this.start + ROWS).map((row) => {
      const line = element("tr");
      for (const column of this.columns) {
        const cell = element(column.head ? "th" : "td");
        if (column.head) cell.scope = "row";
        if (column.number) cell.className = "number";
        cell.append(column.cell(row));
        line.append(cell);
      }
      return line;
    }));
    this.changed();
  }

  #order() {
    if (this.sorted === null) return;
    const { value } = this.columns[this.sorted];
    const keyed = this.rows.map((row) => [value(row), row]);
    const sign = this.down ? -1 : 1;
    keyed.sort(([a], [b]) => {
      if (typeof a === "string") return sign * collator.compare(a, b);
      return Number.isNaN(a) - Number.isNaN(b) || sign * (a - b); // what is undefined comes last, either way
    });
    this.rows = keyed.map(([, row]) => row);
  }

  get place() {
    const end = Math.min(this.start + ROWS, this.rows.length);
    return this.rows.length ? `${this.start + 1} to ${end} of ${this.rows.length}` : "none";
  }
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
