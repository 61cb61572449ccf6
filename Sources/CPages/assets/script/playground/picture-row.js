// The pictures that the tokens are about, with a mark where the token pointed at lies.
import { element } from "../common/elements.js";

export class PictureRow {
  element = element("div", { class: "pictures", hidden: true });
  #pictures = null;
  #marks = [];

  /// - pictures: { views: [{ view, url, says }], spanOf(batch, token) → [from, to] as shares of the width }, or null.
  show(pictures) {
    this.#pictures = pictures;
    this.element.hidden = !pictures;
    this.#marks = [];
    this.element.replaceChildren(
      ...(pictures?.views ?? []).map(({ view, url, says }) => {
        const mark = element("span", { class: "picture-mark", hidden: true });
        this.#marks.push(mark);
        return element(
          "figure",
          { class: view },
          element(
            "div",
            { class: "picture" },
            element("img", { src: url, alt: `The picture under the view ${view}` }),
            mark,
          ),
          element("figcaption", {}, element("b", {}, view), ` ${says}`),
        );
      }),
    );
  }

  point(batch, token) {
    if (!this.#pictures) return;
    const [from, to] = this.#pictures.spanOf(batch, token);
    for (const mark of this.#marks) {
      mark.hidden = false;
      mark.style.left = `${from * 100}%`;
      mark.style.width = `${(to - from) * 100}%`;
    }
  }
}
