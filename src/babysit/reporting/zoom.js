// Zooms every chart: drag a rectangle over it, double-click (or Escape) for the whole. The page is whole without this.
"use strict";
for (const chart of document.querySelectorAll("svg.chart")) {
  const plot = chart.querySelector("svg.plot"), ticks = chart.querySelector("g.ticks"), marks = chart.querySelector("g.marks");
  const whole = chart.dataset.limits.split(" ").map(Number);
  const [left, top, wide, high] = ["x", "y", "width", "height"].map(name => Number(plot.getAttribute(name)));
  const drawn = ticks.innerHTML;
  let begun = null, marked = null;

  const element = (name, attributes, words) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (words !== undefined) made.textContent = words;
    return made;
  };
  const steps = (low, high, most) => {
    const power = 10 ** Math.floor(Math.log10((high - low) / most));
    const step = [1, 2, 5, 10, 20].map(factor => factor * power).find(one => Math.floor((high - low) / one + 1e-9) < most);
    const values = [];
    for (let place = Math.ceil(low / step - 1e-9); place <= Math.floor(high / step + 1e-9); place++) values.push(place * step);
    return values;
  };
  const said = value => Number(value.toPrecision(6)).toLocaleString("en-US", { maximumSignificantDigits: 6 });
  const at = event => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    const inside = (value, from, size) => Math.min(from + size, Math.max(from, value));
    return [inside(place.x, left, wide), inside(place.y, top, high)];
  };
  const show = (x, y, width, height) => {
    plot.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    const [x0, x1] = [x, x + width].map(one => whole[0] + one / 1000 * (whole[1] - whole[0]));
    const [y1, y0] = [y, y + height].map(one => whole[3] - one / 1000 * (whole[3] - whole[2]));
    if (marks) marks.style.display = "none";
    ticks.replaceChildren();
    for (const value of steps(x0, x1, 6))
      ticks.append(element("text", { x: left + wide * (value - x0) / (x1 - x0), y: top + high + 16, "text-anchor": "middle" }, said(value)));
    for (const value of steps(y0, y1, 6)) {
      const place = top + high - high * (value - y0) / (y1 - y0);
      ticks.append(element("path", { d: `M${left} ${place}h${wide}` }));
      ticks.append(element("text", { x: left - 7, y: place + 4, "text-anchor": "end" }, said(value)));
    }
  };
  const reset = () => { plot.setAttribute("viewBox", "0 0 1000 1000"); ticks.innerHTML = drawn; if (marks) marks.style.display = ""; };

  plot.addEventListener("pointerdown", event => {
    if (event.button) return;
    event.preventDefault();
    begun = at(event);
    marked = chart.appendChild(element("rect", { class: "marked", x: begun[0], y: begun[1], width: 0, height: 0 }));
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", event => {
    if (!begun) return;
    const now = at(event);
    for (const [name, side, axis] of [["x", "width", 0], ["y", "height", 1]]) {
      marked.setAttribute(name, Math.min(begun[axis], now[axis]));
      marked.setAttribute(side, Math.abs(begun[axis] - now[axis]));
    }
  });
  const end = event => {
    if (!begun) return;
    const [from, to] = [begun, at(event)];
    begun = null;
    marked.remove();
    const [width, height] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    if (width < 6 || height < 6) return;
    const box = plot.viewBox.baseVal;
    show(box.x + box.width * (Math.min(from[0], to[0]) - left) / wide, box.y + box.height * (Math.min(from[1], to[1]) - top) / high,
         box.width * width / wide, box.height * height / high);
  };
  plot.addEventListener("pointerup", end);
  plot.addEventListener("pointercancel", () => { if (marked) marked.remove(); begun = null; });
  chart.addEventListener("dblclick", reset);
  document.addEventListener("keydown", event => { if (event.key === "Escape") reset(); });
  chart.parentElement.classList.add("zoomable");
}
