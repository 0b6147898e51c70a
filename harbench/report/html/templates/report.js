(function () {
  "use strict";
  var root = document.documentElement;
  var said = document.getElementById("said");

  function say(text) { said.textContent = text; }

  function made(tag, name, text) {
    var element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    return element;
  }

  // Theme: as the system has it, or as the reader chooses. A file may have no storage.
  var themes = ["system", "light", "dark"];
  var button = document.getElementById("theme");
  function stored() { try { return localStorage.getItem("harbench-theme"); } catch (error) { return null; } }
  function show(theme) {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
    button.textContent = "Theme: " + theme;
  }
  var theme = themes.indexOf(stored()) < 0 ? "system" : stored();
  show(theme);
  button.addEventListener("click", function () {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    show(theme);
    try { localStorage.setItem("harbench-theme", theme); } catch (error) { return; }
  });

  // What a link leads to is opened first.
  function reveal() {
    var target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch (error) { return; }
    if (!target) return;
    for (var at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
    var summary = target.tagName === "DETAILS" && target.querySelector("summary");
    if (summary) summary.focus({ preventScroll: true });
  }
  window.addEventListener("hashchange", reveal);

  // Sorting
  var collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  function headText(th) { return th.querySelector(".head").textContent.trim(); }

  function sort(table, th, order) {
    var place = th.cellIndex, body = table.tBodies[0], numeric = th.classList.contains("num");
    table.querySelectorAll("thead th").forEach(function (other) {
      other.setAttribute("aria-sort", other === th ? order : "none");
    });
    if (!table.original) table.original = Array.prototype.slice.call(body.rows);
    var rows = table.original;
    if (order !== "none") {
      var sign = order === "ascending" ? 1 : -1;
      var keyed = rows.map(function (row, number) {
        var cell = row.cells[place];
        var key = numeric
          ? (cell.dataset.sort === undefined ? null : Number(cell.dataset.sort))
          : cell.querySelector("bdi").textContent.trim();
        return { row: row, key: key, number: number };
      });
      keyed.sort(function (a, b) {
        // What has no number is last, whichever way.
        if (a.key === null || b.key === null) {
          if (a.key === b.key) return a.number - b.number;
          return a.key === null ? 1 : -1;
        }
        var less = numeric ? a.key - b.key : collator.compare(a.key, b.key);
        return sign * less || a.number - b.number;
      });
      rows = keyed.map(function (one) { return one.row; });
    }
    var fragment = document.createDocumentFragment();
    rows.forEach(function (row) { fragment.appendChild(row); });
    body.appendChild(fragment);
    if (table.refresh) table.refresh();
    say(order === "none" ? "in the original order" : "sorted by " + headText(th) + ", " + order);
  }

  function sortable(table) {
    table.querySelectorAll("thead th").forEach(function (th) {
      var head = th.querySelector(".head");
      var click = made("button", "sort");
      click.type = "button";
      while (head.firstChild) click.appendChild(head.firstChild);
      head.appendChild(click);
      th.setAttribute("aria-sort", "none");
      var first = th.dataset.first || "ascending";
      var second = first === "ascending" ? "descending" : "ascending";
      click.addEventListener("click", function () {
        var now = th.getAttribute("aria-sort");
        sort(table, th, now === "none" ? first : now === first ? second : "none");
      });
    });
  }

  // Filtering and choosing columns
  function controls(box) {
    var table = box.querySelector("table"), body = table.tBodies[0];
    var bar = made("div", "controls");
    var label = made("label", "filter", "Filter ");
    var input = made("input");
    input.type = "search";
    input.placeholder = "words of a row";
    label.appendChild(input);
    var count = made("output");
    count.setAttribute("aria-live", "polite");
    var all = made("button", "all", "Show all");
    all.type = "button";
    var texts = new Map(), step = Number(box.dataset.controls), whole = false, turn = 0;
    // Laying out thousands of rows takes seconds: the first are shown at once, the others when all
    // are asked for, some at a time, so that the page answers meanwhile.
    table.refresh = function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean), behind = [], fit = 0;
      Array.prototype.forEach.call(body.rows, function (row) {
        if (words.length && !texts.has(row)) texts.set(row, row.textContent.toLowerCase());
        var keep = words.every(function (word) { return texts.get(row).indexOf(word) >= 0; });
        if (row.hidden === keep) row.hidden = !keep;
        fit += keep;
        var later = keep && fit > step;
        row.classList.toggle("later", later);
        if (later) behind.push(row);
      });
      all.hidden = whole || !behind.length;
      var some = !whole && behind.length;
      count.textContent = (some ? "the first " + step + " of " + fit : fit + " of " + body.rows.length) + " rows";
      turn += 1;
      if (whole) setTimeout(reveal, 0, behind, turn);
    };
    function reveal(behind, mine) {
      if (mine !== turn || !behind.length) return;
      behind.splice(0, step).forEach(function (row) { row.classList.remove("later"); });
      setTimeout(reveal, 0, behind, mine);
    }
    all.addEventListener("click", function () { whole = true; table.refresh(); input.focus(); });
    input.addEventListener("input", table.refresh);
    table.refresh();
    bar.append(label, columns(table), count, all, copier(table));
    box.insertBefore(bar, box.firstElementChild);
  }

  function columns(table) {
    var menu = made("details", "columns");
    menu.appendChild(made("summary", "", "Columns"));
    var set = made("fieldset");
    set.appendChild(made("legend", "sr", "Columns to show"));
    Array.prototype.slice.call(table.tHead.rows[0].cells, 1).forEach(function (th) {
      var label = made("label"), box = made("input"), name = made("bdi", "", headText(th));
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", function () {
        Array.prototype.forEach.call(table.rows, function (row) {
          if (row.cells[th.cellIndex]) row.cells[th.cellIndex].hidden = !box.checked;
        });
      });
      label.append(box, name);
      set.appendChild(label);
    });
    menu.appendChild(set);
    menu.addEventListener("keydown", function (event) {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", function (event) {
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    return menu;
  }

  function field(text) { return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text; }

  function csv(table) {
    return Array.prototype.filter.call(table.rows, function (row) { return !row.hidden; }).map(function (row) {
      return Array.prototype.filter.call(row.cells, function (cell) { return !cell.hidden; }).map(function (cell) {
        var copy = cell.cloneNode(true);
        copy.querySelectorAll("sup, .mark, .sr").forEach(function (one) { one.remove(); });
        return field(copy.textContent.replace(/\s+/g, " ").trim());
      }).join(",");
    }).join("\n") + "\n";
  }

  function copier(table) {
    var click = made("button", "copy-table", "Copy as CSV");
    click.type = "button";
    click.addEventListener("click", function () { copy(csv(table), click); });
    return click;
  }

  // Copying: a file that is opened from a disk may not be let near the clipboard.
  function byHand(text) {
    var area = made("textarea", "sr");
    area.value = text;
    area.readOnly = true;
    document.body.appendChild(area);
    area.select();
    var done = false;
    try { done = document.execCommand("copy"); } catch (error) { done = false; }
    area.remove();
    return done;
  }

  function copy(text, click, source) {
    function tell(done) {
      var before = click.dataset.label || click.textContent;
      click.dataset.label = before;
      click.textContent = done ? "Copied" : "Press Ctrl+C";
      say(done ? "copied" : "selected; press Control C to copy");
      if (!done && source) getSelection().selectAllChildren(source);
      setTimeout(function () { click.textContent = before; }, 2000);
    }
    function fallback() { tell(byHand(text)); click.focus(); }
    if (navigator.clipboard && navigator.clipboard.writeText) {
      navigator.clipboard.writeText(text).then(function () { tell(true); }, fallback);
    } else fallback();
  }

  // Only of what is open: there may be thousands.
  document.addEventListener("toggle", function (event) {
    if (!event.target.open) return;
    event.target.querySelectorAll("pre[data-label]").forEach(function (text) {
      if (text.nextElementSibling || text.closest("details") !== event.target) return;
      var click = made("button", "copy js", text.dataset.label);
      click.type = "button";
      click.dataset.copy = text.id;
      text.parentElement.appendChild(click);
    });
  }, true);

  document.addEventListener("click", function (event) {
    var click = event.target.closest && event.target.closest("[data-copy]");
    if (!click) return;
    var source = document.getElementById(click.dataset.copy);
    copy(source.textContent, click, source);
  });

  // A note is read where its number stands.
  document.addEventListener("mouseover", function (event) {
    var link = event.target.closest && event.target.closest("sup a");
    if (!link || link.title) return;
    var note = document.getElementById(link.getAttribute("href").slice(1));
    if (note) link.title = note.textContent;
  });

  // On paper nothing can be opened.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("main details:not([open]):not(.columns)"));
    opened.forEach(function (one) { one.open = true; });
    root.classList.remove("scripted");
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (one) { one.open = false; });
    opened = [];
    root.classList.add("scripted");
  });

  document.querySelectorAll(".table").forEach(function (box) {
    var table = box.querySelector("table");
    if (table.tBodies[0].rows.length > 1) sortable(table);
    if (box.hasAttribute("data-controls")) controls(box);
  });
  if (location.hash) reveal();
})();
