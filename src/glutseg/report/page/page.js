"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const body = document.querySelector(".cases tbody");
  const gallery = at("pictures");
  const articles = at("articles");
  const viewer = at("viewer");
  const tools = at("tools");
  const words = ["status", "flag", "decision"];
  const tiles = new Map(all("li", gallery).map((tile) => [tile.dataset.case, tile]));
  const whole = all("article", articles).length;
  let opener = null;
  document.documentElement.classList.add("js");

  const rows = () => all("tr", body);
  const left = () => rows().filter((row) => !row.hidden).map((row) => row.dataset.case);

  function filter() {
    const sought = at("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = Object.fromEntries(words.map((word) => [word, at(word) ? at(word).value : ""]));
    for (const row of rows()) {
      const data = row.dataset;
      const fits = sought.every((word) => data.search.includes(word))
        && (!wanted.status || data.status === wanted.status)
        && (!wanted.flag || data.flags.split(" ").includes(wanted.flag))
        && (!wanted.decision || data.decision === wanted.decision);
      row.hidden = !fits;
      tiles.get(data.case).hidden = !fits;
      at(data.case).hidden = !fits;
    }
    const n = left().length;
    at("count").textContent = `${n} of ${whole} cases`;
    at("nothing").hidden = n > 0;
  }

  function sort(button) {
    const header = button.closest("th");
    const column = all("th", header.parentElement).indexOf(header);
    const down = header.getAttribute("aria-sort") === "ascending";
    const isNumber = button.dataset.kind === "number";
    const value = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what is unknown stands last, either way
      const order = isNumber ? Number(x) - Number(y) : x.localeCompare(y, "en", { numeric: true });
      return down ? -order : order;
    };
    const sorted = rows().sort(compare);
    body.append(...sorted);
    gallery.append(...sorted.map((row) => tiles.get(row.dataset.case)));
    articles.append(...sorted.map((row) => at(row.dataset.case)));
    for (const other of all("th", header.parentElement)) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  function view(pictures) {
    gallery.hidden = !pictures;
    at("table").hidden = pictures;
    at("as-pictures").setAttribute("aria-pressed", String(pictures));
    at("as-table").setAttribute("aria-pressed", String(!pictures));
  }

  function putBack() {
    const shown = at("shown").firstElementChild;
    if (!shown) return;
    const order = rows().map((row) => row.dataset.case);
    const next = order.slice(order.indexOf(shown.id) + 1).map(at).find((one) => one.parentElement === articles);
    articles.insertBefore(shown, next ?? null);
  }

  function show(name) {
    const article = at(name);
    if (!article || article.localName !== "article") return;
    putBack();
    at("shown").append(article);
    at("shown").scrollTop = 0;
    viewer.setAttribute("aria-labelledby", `${name}-title`);
    const order = left();
    const k = order.indexOf(name);
    at("place").textContent = k < 0 ? "" : `${k + 1} of ${order.length}`;
    at("before").disabled = k <= 0;
    at("after").disabled = k < 0 || k >= order.length - 1;
    if (!viewer.open) viewer.showModal();
    article.querySelector("h3").focus();
  }

  function step(by) {
    const shown = at("shown").firstElementChild;
    const order = left();
    const k = order.indexOf(shown ? shown.id : "");
    if (k >= 0 && order[k + by]) show(order[k + by]);
  }

  function open(name, from) {
    opener = from;
    show(name);
  }

  for (const button of all("thead button", body.parentElement)) button.addEventListener("click", () => sort(button));
  for (const kind of ["input", "change"]) tools.addEventListener(kind, filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("reset", () => setTimeout(filter));
  at("as-table").addEventListener("click", () => view(false));
  at("as-pictures").addEventListener("click", () => view(true));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.open");
    const dot = event.target.closest("circle[data-case]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link.getAttribute("href").slice(1), link);
    } else if (dot) {
      open(dot.dataset.case, null);
    }
  });
  at("before").addEventListener("click", () => step(-1));
  at("after").addEventListener("click", () => step(1));
  at("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  viewer.addEventListener("close", () => {
    const last = at("shown").firstElementChild?.id;
    putBack();
    const place = gallery.hidden ? body : gallery;
    const link = last && place.querySelector(`[data-case="${last}"] a.open`);
    (link ?? opener)?.focus();
    opener = null;
  });
  window.addEventListener("beforeprint", () => viewer.open && viewer.close());
  at("copy").addEventListener("click", async () => {
    const text = at("paragraph").innerText;
    try {
      await navigator.clipboard.writeText(text);
      at("copied").textContent = "Copied.";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(at("paragraph"));
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      at("copied").textContent = "Selected: copy it with Ctrl+C.";
    }
  });
  filter(); // a page that is loaded again keeps what stood in its fields
  if (/^#case-\d+$/.test(location.hash)) open(location.hash.slice(1), null);
})();
