"use strict";
// The list of connections, its filters, and the story of one. Text from the network only ever becomes text nodes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const F = Object.fromEntries(data.fields.map((name, at) => [name, at]));
  const IDLE = new Set(["keepalive_idle", "teardown"]);
  const BASES = ["absent", "measured", "inferred", "bounded"];
  const all = data.connections;
  const byNumber = new Map(all.map((row) => [row[F.number], row]));
  const $ = (id) => document.getElementById(id);

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") node.className = value;
      else if (name === "style") Object.assign(node.style, value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  };

  const ms = (value) => (value === null ? "." : Math.abs(value) >= 999.95 ? value.toFixed(0) : value.toFixed(1));
  const time = (value) => {
    if (value === null) return "";
    if (Math.abs(value) >= 999.95) return `${(value / 1000).toFixed(2)} s`;
    return `${value !== 0 && Math.abs(value) < 0.095 ? value.toFixed(3) : value.toFixed(1)} ms`;
  };
  const size = (count) => {
    for (const unit of ["B", "kB", "MB", "GB"]) {
      if (count < 1000 || unit === "GB") return unit === "B" ? `${count} B` : `${count.toFixed(1)} ${unit}`;
      count /= 1000;
    }
    return "";
  };
  const frames = (numbers) => {
    const found = [...new Set(numbers.filter(Boolean))].sort((a, b) => a - b);
    if (!found.length) return "";
    if (found.length === 1) return `frame ${found[0]}`;
    return found.length > 4 ? `frames ${found[0]} to ${found[found.length - 1]}` : `frames ${found.join(", ")}`;
  };

  // ---- the list
  const state = { sort: "", descending: false, page: 0, rows: all };
  const searchable = all.map((row) =>
    [`#${row[F.number]}`, row[F.host], row[F.originator], row[F.responder], row[F.service], row[F.state], row[F.about], ...row[F.findings]].join(" ").toLowerCase());
  all.forEach((row, at) => { row.at = at; });

  const fill = (id, values) => $(id).append(...[...values].sort().map((value) => make("option", { value }, value)));
  fill("service", new Set(all.map((row) => row[F.service])));
  fill("state", new Set(all.map((row) => row[F.state]).filter(Boolean)));
  fill("finding", new Set(all.flatMap((row) => row[F.findings])));

  const placePhases = (row) => {
    const found = [];
    let at = 0;
    const flat = row[F.phases];
    for (let i = 0; i < flat.length; i += 5) {
      const [code, took, first, last, basis] = flat.slice(i, i + 5);
      const [phase, label] = data.phases[code];
      if (phase === "teardown") continue;
      found.push({ phase, label, start: at, took: Math.max(took, 0), first, last, basis: BASES[basis] });
      at += Math.max(took, 0);
    }
    while (found.length && IDLE.has(found[found.length - 1].phase)) at -= found.pop().took;
    return [found, at];
  };

  const track = (bars, whole, offset = 0) => {
    const node = make("div", { class: "track" });
    for (const bar of bars) {
      if (!(whole > 0)) break;
      const left = (100 * (bar.start + offset)) / whole;
      const width = (100 * bar.took) / whole;
      const piece = make("i", { class: `p-${bar.phase} ${bar.basis === "measured" ? "" : bar.basis}`, style: { left: `${Math.min(left, 99.6)}%`, width: `${Math.max(Math.min(width, 100 - left), 0)}%` } });
      piece.dataset.tip = `${bar.label}: ${time(bar.took)} (${bar.basis}${bar.first ? `, ${frames([bar.first, bar.last])}` : ""})`;
      node.append(piece);
    }
    return node;
  };

  const makeRow = (row, axis) => {
    const [bars, whole] = placePhases(row);
    let wide = whole;
    let offset = 0;
    if (axis) {
      const before = bars.filter((bar) => bar.phase === "dns" || bar.phase === "dns_to_connect").reduce((sum, bar) => sum + bar.took, 0);
      wide = axis.whole;
      offset = row[F.start] * 1000 - before - axis.begin;
    }
    const picture = track(bars, wide, offset);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", bars.map((bar) => `${bar.label} ${time(bar.took)}`).join(", ") || "no phases");
    const tags = row[F.findings].map((rule) => make("span", { class: `badge ${data.severities[rule] || "note"}` }, rule));
    const open = make("button", { type: "button", class: "link", "data-connection": row[F.number] }, String(row[F.number]));
    const node = make("tr", { "data-row": row[F.number] },
      make("td", { class: "number" }, open),
      make("td", { class: "number" }, row[F.start].toFixed(3)),
      make("td", { class: "host" }, make("bdi", {}, row[F.host] || row[F.responder])),
      make("td", {}, row[F.service]),
      make("td", {}, row[F.state]),
      make("td", { class: "number" }, row[F.phases].length ? ms(row[F.total]) : "."),
      make("td", { class: "waterfall" }, bars.length ? picture : ""),
      make("td", { class: "number" }, size(row[F.bytes_down])),
      make("td", { class: "tags" }, ...tags));
    return node;
  };

  const draw = () => {
    const per = Number($("size").value);
    const pages = Math.max(1, Math.ceil(state.rows.length / per));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const shown = state.rows.slice(state.page * per, (state.page + 1) * per);
    let axis = null;
    if ($("shared").checked && shown.length) {
      let begin = Infinity, end = -Infinity;
      for (const row of shown) {
        const [bars, whole] = placePhases(row);
        const before = bars.filter((bar) => bar.phase === "dns" || bar.phase === "dns_to_connect").reduce((sum, bar) => sum + bar.took, 0);
        begin = Math.min(begin, row[F.start] * 1000 - before);
        end = Math.max(end, row[F.start] * 1000 - before + whole);
      }
      axis = { begin, whole: Math.max(end - begin, 0.001) };
    }
    $("rows").replaceChildren(...shown.map((row) => makeRow(row, axis)));
    $("page").textContent = `page ${state.page + 1} of ${pages}`;
    $("previous").disabled = state.page === 0;
    $("next").disabled = state.page >= pages - 1;
    $("matches").textContent = state.rows.length === all.length ? "" : `${state.rows.length} of ${all.length} match`;
  };

  const filter = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [service, one, rule] = ["service", "state", "finding"].map((id) => $(id).value);
    state.rows = all.filter((row) =>
      (!service || row[F.service] === service) && (!one || row[F.state] === one) && (!rule || row[F.findings].includes(rule)) &&
      words.every((word) => searchable[row.at].includes(word)));
    if (state.sort) {
      const key = F[state.sort];
      const sign = state.descending ? -1 : 1;
      state.rows.sort((a, b) => {
        const [x, y] = [a[key], b[key]];
        const order = typeof x === "string" ? (x < y ? -1 : x > y ? 1 : 0) : (x ?? -1) - (y ?? -1);
        return sign * order || a[F.number] - b[F.number];
      });
    }
    state.page = 0;
    draw();
  };

  let waiting = 0;
  $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  for (const id of ["service", "state", "finding"]) $(id).addEventListener("change", filter);
  $("size").addEventListener("change", draw);
  $("shared").addEventListener("change", () => {
    if ($("shared").checked && !state.sort) { state.sort = "start"; mark(); filter(); } else draw();
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("previous").addEventListener("click", () => { state.page -= 1; draw(); });
  $("next").addEventListener("click", () => { state.page += 1; draw(); });

  const mark = () => {
    for (const button of document.querySelectorAll("#list [data-sort]")) {
      const active = button.dataset.sort === state.sort;
      button.closest("th").setAttribute("aria-sort", active ? (state.descending ? "descending" : "ascending") : "none");
    }
  };
  for (const button of document.querySelectorAll("#list [data-sort]")) {
    button.addEventListener("click", () => {
      const key = button.dataset.sort;
      const first = ["total", "bytes_down", "worst"].includes(key);
      state.descending = state.sort === key ? !state.descending : first;
      state.sort = key;
      mark();
      filter();
    });
  }

  // ---- the story of one connection
  const paragraph = (text) => make("p", {}, text);
  const stepTable = (steps) => make("table", {}, make("tbody", {}, ...steps.map(([at, name, text, numbers, basis]) =>
    make("tr", {}, make("td", { class: "number" }, time(at)), make("td", {}, make("bdi", {}, name)),
      make("td", {}, make("bdi", {}, text), basis === "measured" ? "" : make("span", { class: "inferred-mark" }, ` [${basis}]`)),
      make("td", { class: "number quiet" }, frames(numbers))))));

  const barTable = (bars) => {
    const begin = Math.min(...bars.map((bar) => bar[2]));
    const whole = Math.max(...bars.map((bar) => bar[2] + bar[3])) - begin;
    return make("table", {}, make("tbody", {}, ...bars.map(([phase, label, start, took, basis, numbers]) =>
      make("tr", {}, make("td", { class: "bar-label" }, make("bdi", {}, label)),
        make("td", { class: "bar-track" }, track([{ phase, label, start: start - begin, took, basis, first: numbers[0], last: numbers[1] }], whole)),
        make("td", { class: "number" }, time(took)), make("td", { class: "quiet basis" }, basis === "measured" ? "" : basis)))));
  };

  const tell = (story) => {
    const body = make("div", { class: "story" }, paragraph(story.subject), paragraph(story.outcome), make("p", {}, make("b", {}, story.gist)));
    if (story.bars.length) body.append(barTable(story.bars));
    story.chapters.forEach((chapter, at) => {
      const where = frames(chapter.frames);
      body.append(make("h3", {}, `${at + 1} ${chapter.title} `, make("small", {}, `${chapter.layer}${where ? ` · ${where}` : ""}`)));
      body.append(...chapter.paragraphs.map(paragraph));
      if (chapter.steps.length) body.append(stepTable(chapter.steps));
      if (chapter.facts.length) {
        body.append(make("dl", { class: "facts" }, ...chapter.facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
      }
      const [purpose, background, sources] = data.lessons[chapter.topic];
      body.append(make("details", {}, make("summary", {}, purpose), paragraph(background), paragraph(sources)));
    });
    if (story.findings.length) {
      body.append(make("h3", {}, "Findings"), make("ul", {}, ...story.findings.map(([severity, rule, subject, words, numbers]) =>
        make("li", {}, make("span", { class: `badge ${severity}` }, severity), ` ${subject ? `${subject}: ` : ""}${words} `, make("span", { class: "quiet" }, `${rule}, ${frames(numbers)}`)))));
    }
    body.append(make("h3", {}, "Same packets in Wireshark"), make("code", {}, story.filter));
    return body;
  };

  const sketch = (row) => {
    const [bars] = placePhases(row);
    const body = make("div", { class: "story" }, paragraph(row[F.about]), paragraph(`${row[F.service]}, state ${row[F.state] || "unknown"}, open for ${time(row[F.duration])}, ${size(row[F.bytes_up])} up, ${size(row[F.bytes_down])} down, frames ${row[F.first_frame]} to ${row[F.last_frame]}`));
    if (bars.length) body.append(barTable(bars.map((bar) => [bar.phase, bar.label, bar.start, bar.took, bar.basis, [bar.first, bar.last]])));
    if (row[F.findings].length) body.append(paragraph(`Findings: ${row[F.findings].join(", ")}`));
    body.append(paragraph("The whole story of this connection is told by:"), make("code", {}, `analyzer explain CAPTURE ${row[F.number]}`));
    return body;
  };

  const show = (number) => {
    const row = byNumber.get(number);
    const story = data.stories[number];
    $("story-title").textContent = row ? `Connection ${number}: ${row[F.originator]} → ${row[F.responder]}` : `Connection ${number}`;
    const nothing = make("div", { class: "story" }, paragraph("It is not among the connections of this page:"), make("code", {}, `analyzer explain CAPTURE ${number}`));
    $("story-body").replaceChildren(story ? tell(story) : row ? sketch(row) : nothing);
    $("story").showModal();
    $("story").scrollTop = 0;
  };
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-connection], [data-row]");
    if (target && !window.getSelection().toString()) show(Number(target.dataset.connection || target.dataset.row));
    if (event.target === $("story")) $("story").close();
  });
  $("close").addEventListener("click", () => $("story").close());

  // ---- tooltips of bars
  const tip = $("tip");
  document.addEventListener("pointerover", (event) => {
    const text = event.target.dataset && event.target.dataset.tip;
    tip.hidden = !text;
    const home = $("story").open ? $("story") : document.body;
    if (text) { tip.textContent = text; if (tip.parentNode !== home) home.append(tip); }
  });
  document.addEventListener("pointermove", (event) => {
    if (tip.hidden) return;
    tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8)}px`;
  });

  draw();
})();
