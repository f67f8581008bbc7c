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
  const textOf = (cell) => { // without the letters of notes: they would be read as part of a symbol
    const read = cell.querySelector("sup") ? cell.cloneNode(true) : cell;
    for (const letter of read.querySelectorAll("sup")) letter.remove();
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

  const gridOf = (table) => {
    const spans = table.tHead.rows.length > 1 ? [...table.tHead.rows[0].cells].flatMap((cell) => Array(cell.colSpan).fill(textOf(cell))) : [];
    const heads = [...[...table.tHead.rows].at(-1).cells];
    const blocks = [...table.tBodies].map((body) => {
      const title = body.querySelector("tr.block");
      const rows = [...body.rows].filter((row) => row !== title);
      return { title: title ? textOf(title) : "", firm: Boolean(title?.querySelector(".firm")), rows: rows.map((row) => [...row.cells].map((cell) => [textOf(cell), cell.colSpan])) };
    });
    let notes = table.closest(".scroll").nextElementSibling;
    if (notes?.dataset.tool) notes = notes.nextElementSibling;
    return {
      caption: textOf(table.caption), spans, blocks,
      heads: heads.map(textOf), numeric: heads.map((head) => head.classList.contains("n")),
      notes: notes?.classList.contains("notes") ? [...notes.children].map(textOf) : [],
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
    "[": "{[}", "…": "\\ldots{}", "→": "$\\to$", "‖": "$\\|$", "√": "$\\surd$", "±": "$\\pm$", "∞": "$\\infty$",
  };
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi omega".split(" ");
  const CAPITALS = { "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega" };
  GREEK.forEach((name, place) => { LATEX[String.fromCharCode(0x3b1 + place)] = name === "omicron" ? "o" : `$\\${name}$`; });
  for (const [letter, name] of Object.entries(CAPITALS)) LATEX[letter] = `$\\${name}$`;
  const latex = (text) => [...text].map((letter) => LATEX[letter] ?? letter).join("");
  const asLatex = ({ caption, heads, numeric, spans, blocks, notes }) => {
    const line = (cells) => `${cells.join(" & ")} \\\\`;
    const spread = (text, wide, kind) => (wide > 1 ? `\\multicolumn{${wide}}{${kind}}{${text}}` : text);
    const above = [];
    for (const [place, text] of spans.entries()) {
      if (text && text === spans[place - 1]) above.at(-1)[1] += 1;
      else above.push([text, 1]);
    }
    const body = blocks.flatMap(({ title, rows }) => [
      ...(title ? [`\\multicolumn{${heads.length}}{l}{\\textit{${latex(title)}}} \\\\`] : []),
      ...rows.map((row) => line(row.map(([text, wide]) => spread(latex(text), wide, "l")))),
    ]);
    const made = [
      "\\begin{table}", "\\centering", `\\caption{${latex(caption)}}`,
      `\\begin{tabular}{${numeric.map((is) => (is ? "r" : "l")).join("")}}`, "\\toprule",
      ...(spans.length ? [line(above.map(([text, wide]) => spread(latex(text), wide, "c")))] : []),
      line(heads.map(latex)), "\\midrule", ...body, "\\bottomrule", "\\end{tabular}",
      ...notes.map((note) => `\\par{\\footnotesize ${latex(note)}}`), "\\end{table}", "",
    ].join("\n");
    const chinese = /\p{Script=Han}/u.test(made) ? ", and xelatex with \\usepackage{xeCJK} for the Chinese" : "";
    return `% needs \\usepackage{booktabs}${chinese}\n${made}`;
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
    for (const [words_, form] of [[words.csv, asCsv], [words.latex, asLatex]]) {
      const button = element("button", { type: "button", "aria-describedby": about }, words_);
      button.addEventListener("click", () => {
        toClipboard(form(gridOf(table))).then(() => { said.textContent = words.copied; }, () => { said.textContent = words.refused; });
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
