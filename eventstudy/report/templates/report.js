"use strict";
// Adds to a page that is complete without it: sortable columns, tables to copy, values under the pointer.
(() => {
  const words = JSON.parse(document.body.dataset.words);

  const element = (tag, attributes, text) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text) made.textContent = text;
    return made;
  };
  const textOf = (cell, left = "sup") => { // without the letters of notes: they would be read as part of a symbol
    const read = cell.querySelector(left) ? cell.cloneNode(true) : cell;
    for (const part of read.querySelectorAll(left)) part.remove();
    return read.innerText.replace(/\s+/g, " ").replace(/[\u2068\u2069]/g, "").trim();
  };

  // Sorting: within each block of rows, undefined values last, third press as it was

  const number = (text) => {
    const found = text.replace(/\u2212/g, "-").replace(/,(?=\d{3})/g, "").match(/-?\d+(\.\d+)?/);
    return found ? Number(found[0]) : NaN;
  };
  const cellAt = (row, column) => {
    let place = 0;
    for (const cell of row.cells) {
      place += cell.colSpan;
      if (place > column) return cell.colSpan > 1 ? null : cell;
    }
    return null;
  };
  const compare = (numeric, down) => (a, b) => {
    if (a.value === "" || b.value === "") return (a.value === "") - (b.value === "") || a.place - b.place;
    const order = numeric ? number(a.value) - number(b.value) : a.value.localeCompare(b.value, undefined, { numeric: true });
    return (down ? -order : order) || a.place - b.place;
  };

  const makeSortable = (table) => {
    const bodies = [...table.tBodies].map((body) => [body, [...body.rows].filter((row) => !row.classList.contains("block"))]);
    if (!bodies.some(([, rows]) => rows.length > 1)) return;
    const heads = [...table.tHead.rows].at(-1).cells;
    [...heads].forEach((head, column) => {
      const button = element("button", { type: "button", class: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] ?? "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next !== "none") head.setAttribute("aria-sort", next);
        const order = compare(head.classList.contains("n"), next === "descending");
        for (const [body, rows] of bodies) {
          const keyed = rows.map((row, place) => {
            const cell = cellAt(row, column);
            return { row, place, value: next === "none" || !cell ? "" : cell.dataset.value ?? textOf(cell) };
          });
          body.append(...keyed.sort(order).map((item) => item.row));
        }
      });
    });
  };

  // Copying: what the table shows, as CSV or LaTeX

  const gridOf = (table, left) => {
    const read = (cell) => textOf(cell, left);
    const spans = table.tHead.rows.length > 1 ? [...table.tHead.rows[0].cells].flatMap((cell) => Array(cell.colSpan).fill(read(cell))) : [];
    const heads = [...[...table.tHead.rows].at(-1).cells];
    const blocks = [...table.tBodies].map((body) => {
      const title = body.querySelector("tr.block");
      const rows = [...body.rows].filter((row) => row !== title);
      return { title: title ? read(title) : "", firm: Boolean(title?.querySelector(".firm")), rows: rows.map((row) => [...row.cells].map((cell) => [read(cell), cell.colSpan])) };
    });
    let notes = table.closest(".scroll").nextElementSibling;
    if (notes?.dataset.tool) notes = notes.nextElementSibling;
    return {
      caption: read(table.caption), spans, blocks,
      heads: heads.map(read), numeric: heads.map((head) => head.classList.contains("n")),
      notes: notes?.classList.contains("notes") ? [...notes.querySelectorAll("p:not([data-lettered])")].map(read) : [],
    };
  };

  const csvCell = (text) => {
    const plain = text.replace(/\u2212/g, "-").replace(/^\+(?=\d)/, "");
    const safe = /^[=@+\t]|^-(?![\d.])/.test(plain) ? `'${plain}` : plain; // no formula for a spreadsheet
    return /[",\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const asCsv = ({ heads, spans, blocks }) => {
    const grouped = blocks.some((block) => block.title);
    const titles = heads.map((head, place) => (spans[place] ? `${spans[place]}: ${head}` : head));
    const group = blocks.every((block) => block.firm) ? words.firm : words.group;
    const lines = [[...(grouped ? [group] : []), ...titles]];
    for (const { title, rows } of blocks) {
      for (const row of rows) {
        const cells = row.flatMap(([text, wide]) => [text, ...Array(wide - 1).fill("")]);
        lines.push([...(grouped ? [title] : []), ...cells]);
      }
    }
    return lines.map((line) => line.map(csvCell).join(",") + "\n").join("");
  };

  const LATEX = { // a bracket at the beginning of a line would be read as an argument of the line break before
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "%": "\\%", "&": "\\&", "$": "\\$", "#": "\\#", _: "\\_", "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "\u2212": "$-$", "≤": "$\\leq$", "≥": "$\\geq$", "²": "$^2$", "×": "$\\times$",
    "[": "{[}", "\u00a0": "~", "\"": "''", "*": "{*}", "|": "$|$", "…": "\\ldots{}", "→": "$\\to$", "‖": "$\\|$", "√": "$\\surd$", "±": "$\\pm$", "∞": "$\\infty$",
  };
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi omega".split(" ");
  const CAPITALS = { "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega" };
  GREEK.forEach((name, place) => { LATEX[String.fromCharCode(0x3b1 + place)] = name === "omicron" ? "o" : `$\\${name}$`; });
  for (const [letter, name] of Object.entries(CAPITALS)) LATEX[letter] = `$\\${name}$`;
  const latex = (text) => [...text].map((letter) => LATEX[letter] ?? letter).join("");
  // Its layout. Widths are in em of \footnotesize: a line of the class article has 40, one of a sheet on its side 64
  const PAGES = [{ room: 40, rows: 38 }, { room: 64, rows: 24, side: true }, { room: 76, rows: 30, side: true, size: "scriptsize" }];
  const GAP = 0.8, NARROW = 8, UNBROKEN = 4.5;
  const em = (text) => [...text].reduce((sum, letter) => sum + (/[\u2e80-\u9fff\uff00-\uffef]/.test(letter) ? 1 : /[+\u2212%=≤≥mMwW]/.test(letter) ? 0.8 : 0.5), 0);
  const wordsOf = (text) => text.split(/ (?![^[]*\])/); // a window such as [0, 3] is one
  const broken = (text, room) => wordsOf(text).reduce((lines, word) => {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    return lines.length && em(longer) <= room ? [...lines.slice(0, -1), longer] : [...lines, word];
  }, []);
  const layoutOf = ({ heads, numeric, spans, blocks }) => {
    const rows = blocks.flatMap((block) => block.rows);
    const own = (row, column) => {
      let place = 0;
      for (const [text, wide] of row) {
        if (place === column) return wide > 1 ? "" : text;
        place += wide;
      }
      return "";
    };
    const widths = heads.map((head, column) => Math.max(Math.min(em(head), UNBROKEN), ...wordsOf(head).map(em), ...rows.map((row) => em(own(row, column)))));
    const needed = (most) => widths.reduce((sum, width, column) => sum + (numeric[column] ? width : Math.min(width, most)) + GAP, 0);
    const page = PAGES.find(({ room }) => needed(NARROW) <= room) ?? PAGES.at(-1);
    let most = Math.max(...widths);
    while (most > NARROW && needed(most) > page.room) most -= 0.5;
    const kept = widths.map((width, column) => (numeric[column] ? width : Math.min(width, most)));
    const tall = (row) => Math.max(...row.map(([text, wide], column) => (wide > 1 ? 1 : Math.ceil(em(text) / (kept[column] || 1)))));
    const lines = rows.reduce((sum, row) => sum + tall(row), blocks.filter((block) => block.title).length + (spans.length ? 2 : 1));
    return { ...page, widths: kept, wraps: widths.map((width, column) => kept[column] < width), long: page.side || lines > page.rows };
  };
  const asLatex = (grid) => {
    const { caption, heads, numeric, spans, blocks, notes } = grid;
    const { widths, wraps, side, long, size = "footnotesize" } = layoutOf(grid);
    const ems = (width) => `${Math.round(10 * width) / 10}em`;
    const whole = widths.reduce((sum, width) => sum + width + GAP, -GAP);
    const line = (cells) => `${cells.join(" & ")} \\\\`;
    const kinds = numeric.map((is, column) => (wraps[column] ? `>{\\raggedright\\arraybackslash}p{${ems(widths[column])}}` : is ? "r" : "l")).join("");
    const spread = (text, wide, kind) => (wide > 1 ? `\\multicolumn{${wide}}{${kind}}{${latex(text)}}` : latex(text));
    const across = (text, wide, room) => spread(text, wide, em(text) > room ? `>{\\raggedright\\arraybackslash}p{${ems(room)}}` : "l");
    const head = (text, column) => {
      const lines = wraps[column] ? [text] : broken(text, widths[column]);
      return lines.length > 1 ? `\\shortstack[${numeric[column] ? "r" : "l"}]{${lines.map(latex).join("\\\\")}}` : latex(text);
    };
    const above = [];
    for (const [place, text] of spans.entries()) {
      if (text && text === spans[place - 1]) above.at(-1)[1] += 1;
      else above.push([text, 1]);
    }
    const cellsOf = (row) => {
      let place = 0;
      return row.map(([text, wide]) => {
        const room = 0.85 * widths.slice(place, place + wide).reduce((sum, width) => sum + width + GAP, -GAP); // less than numbers take
        place += wide;
        return across(text, wide, room);
      });
    };
    const body = blocks.flatMap(({ title, rows }) => [
      ...(title ? [`\\multicolumn{${heads.length}}{l}{\\textit{${latex(title)}}} \\\\`] : []), ...rows.map((row) => line(cellsOf(row))),
    ]);
    const top = [
      "\\toprule", ...(spans.length ? [line(above.map(([text, wide]) => spread(text, wide, "c")))] : []), line(heads.map(head)), "\\midrule",
    ];
    const titled = `\\caption{${latex(caption)}}`, fine = `\\${size}\\setlength{\\tabcolsep}{.4em}`;
    const made = long
      ? [
        ...(side ? ["\\begin{landscape}"] : []), `{${fine}`, `\\begin{longtable}{${kinds}}`, `${titled}\\\\`, ...top, "\\endfirsthead", ...top, "\\endhead",
        "\\bottomrule", "\\endfoot", ...body, "\\end{longtable}}", ...notes.map((note) => `{\\footnotesize\\noindent ${latex(note)}\\par}`),
        ...(side ? ["\\end{landscape}"] : []),
      ]
      : [
        "\\begin{table}[htbp]", "\\centering", fine, titled, `\\begin{tabular}{${kinds}}`, ...top, ...body, "\\bottomrule", "\\end{tabular}",
        ...(notes.length ? [`\\begin{minipage}{\\linewidth}\\medskip`, ...notes.map((note) => `${latex(note)}\\par`), "\\end{minipage}"] : []), "\\end{table}",
      ];
    const text = [...made, ""].join("\n");
    const packages = ["booktabs", ...(body.concat(kinds).some((one) => one.includes("raggedright")) ? ["array"] : []), ...(long ? ["longtable"] : []), ...(side ? ["pdflscape"] : [])];
    const needs = packages.map((name) => `\\usepackage{${name}}`).join(" ");
    if (/\p{Script=Han}/u.test(text)) return `% needs ${needs} and xelatex with \\usepackage{xeCJK} for the Chinese\n${text}`;
    const odd = /[^\0-\u024f\u2010-\u201f\u2026]/u.test(text);
    return `% needs ${needs}${odd ? " and xelatex with a font that has all its letters" : ""}\n${text}`;
  };

  const toClipboard = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = element("textarea", { "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error();
  };
  const makeCopyable = (table) => {
    const tools = element("p", { class: "tools", "data-tool": "copy" });
    const said = element("span", { role: "status" });
    const about = table.caption.id;
    const foreign = `sup, [lang]:not([lang="${document.documentElement.lang}"])`; // a paper is set in one language
    for (const [words_, form, left] of [[words.csv, asCsv, "sup"], [words.latex, asLatex, foreign]]) {
      const button = element("button", { type: "button", "aria-describedby": about }, words_);
      button.addEventListener("click", () => {
        toClipboard(form(gridOf(table, left))).then(() => { said.textContent = words.copied; }, () => { said.textContent = words.refused; });
        setTimeout(() => { said.textContent = ""; }, 4000);
      });
      tools.append(button);
    }
    tools.append(said);
    table.closest(".scroll").after(tools);
  };

  for (const table of document.querySelectorAll(".scroll > table")) {
    makeCopyable(table);
    makeSortable(table);
  }

  // Values of a drawing: the point nearest to the pointer, or by the arrow keys

  const makeReadable = (drawing) => {
    const points = JSON.parse(drawing.dataset.points);
    const panel = drawing.closest(".panel");
    const tip = element("p", { class: "tip", "data-tool": "tip", role: "status" });
    const ring = document.createElementNS(drawing.namespaceURI, "circle");
    ring.setAttribute("r", 6);
    ring.setAttribute("class", "ring");
    let place = -1;

    const show = (chosen) => {
      place = chosen;
      const [x, y, text] = points[place];
      ring.setAttribute("cx", x);
      ring.setAttribute("cy", y);
      drawing.append(ring);
      tip.textContent = text;
      const scale = drawing.clientWidth / drawing.viewBox.baseVal.width;
      const left = Math.min(Math.max(x * scale - tip.offsetWidth / 2, 0), drawing.clientWidth - tip.offsetWidth);
      const top = drawing.getBoundingClientRect().top - panel.getBoundingClientRect().top + y * scale;
      tip.style.left = `${Math.max(left, 0)}px`;
      tip.style.top = `${top - tip.offsetHeight - 12 < 0 ? top + 14 : top - tip.offsetHeight - 12}px`;
    };
    const hide = () => { ring.remove(); tip.textContent = ""; };
    const nearest = (event) => {
      const box = drawing.getBoundingClientRect(), scale = drawing.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const far = points.map(([px, py]) => (px - x) ** 2 + ((py - y) / 4) ** 2); // along the horizontal first
      show(far.indexOf(Math.min(...far)));
    };
    drawing.addEventListener("pointermove", nearest);
    drawing.addEventListener("pointerdown", nearest);
    drawing.addEventListener("pointerleave", hide);
    drawing.addEventListener("blur", hide);
    drawing.addEventListener("focus", () => { if (drawing.matches(":focus-visible")) show(Math.max(place, 0)); });
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -points.length, End: points.length }[event.key];
      if (event.key === "Escape") hide();
      if (step === undefined) return;
      event.preventDefault();
      show(Math.min(Math.max(place + step, 0), points.length - 1));
    });
    drawing.setAttribute("tabindex", "0");
    drawing.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight");
    panel.append(tip);
  };
  for (const drawing of document.querySelectorAll("svg[data-points]")) makeReadable(drawing);
})();
