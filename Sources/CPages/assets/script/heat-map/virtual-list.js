// A scrolled list of which only the lines in sight, and a few around them, are in the document.

const AROUND = 240;

/// Fills `scroller` with lines.
/// - makeLine(index) => an element; it is placed absolutely.
export class VirtualList {
  #scroller;
  #space;
  #makeLine;
  #top = new Float64Array([0]);
  #shown = new Map();
  #frame = 0;

  constructor(scroller, space, makeLine) {
    this.#scroller = scroller;
    this.#space = space;
    this.#makeLine = makeLine;
    scroller.addEventListener("scroll", () => this.#request(), { passive: true });
  }

  /// Shows other lines: line i is from tops[i] to tops[i + 1]; Float64Array [lines + 1].
  lay(tops) {
    this.#top = tops;
    this.#space.style.height = `${tops[tops.length - 1]}px`;
    this.repaint();
  }

  /// Makes all lines in sight anew.
  repaint() {
    for (const node of this.#shown.values()) node.remove();
    this.#shown.clear();
    this.draw();
  }

  /// Makes one line anew, if it is in sight.
  refresh(index) {
    const old = this.#shown.get(index);
    if (!old) return;
    const node = this.#placed(index);
    old.replaceWith(node);
    this.#shown.set(index, node);
  }

  /// The element of a line in sight, or undefined.
  element(index) {
    return this.#shown.get(index);
  }

  get shown() {
    return this.#shown;
  }

  /// Scrolls as little as it takes to have a line in sight.
  reveal(index, margin = 24) {
    const { scrollTop, clientHeight } = this.#scroller;
    const [top, bottom] = [this.#top[index] - margin, this.#top[index + 1] + margin];
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.#scroller.scrollTop = bottom - clientHeight;
    this.draw();
  }

  #request() {
    if (this.#frame === 0)
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.draw();
      });
  }

  /// Puts the lines in sight into the document, in their order.
  draw() {
    const count = this.#top.length - 1;
    const { scrollTop, clientHeight } = this.#scroller;
    const first = this.#at(scrollTop - AROUND);
    let last = first;
    while (last < count && this.#top[last] < scrollTop + clientHeight + AROUND) last += 1;
    for (const [index, node] of this.#shown) {
      if (index < first || index >= last) {
        node.remove();
        this.#shown.delete(index);
      }
    }
    let before = null;
    for (let index = last - 1; index >= first; index -= 1) {
      let node = this.#shown.get(index);
      if (!node) {
        node = this.#placed(index);
        this.#shown.set(index, node);
        this.#space.insertBefore(node, before);
      }
      before = node;
    }
  }

  #placed(index) {
    const node = this.#makeLine(index);
    node.style.top = `${this.#top[index]}px`;
    node.style.height = `${this.#top[index + 1] - this.#top[index]}px`;
    return node;
  }

  #at(y) {
    let low = 0;
    let high = Math.max(0, this.#top.length - 2);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#top[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
