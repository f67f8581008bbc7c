"""How the documentation site is built: `make docs`. Every page works from the disk, without a network and without MathJax."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import eventstudy

project = "eventstudy"
author = "the eventstudy developers"
project_copyright = "the eventstudy developers, BSD-3-Clause"
version = release = eventstudy.__version__

extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["examples/*", "templates/*", "**/.ipynb_checkpoints"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

smartquotes = False  # they turn --option into a dash

# The notebook is kept without outputs and runs at every build; an error in it ends the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

html_theme = "furo"
html_title = "eventstudy"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_search_summary = False  # a summary would be fetched, which a page on the disk may not do
html_last_updated_fmt = None
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="formula" tabindex="0">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def _levels(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Give the headings of the contents a level, which the theme leaves out."""
    context["furo_navigation_tree"] = context["furo_navigation_tree"].replace('role="heading"', 'role="heading" aria-level="2"')


# What can be scrolled is reached by the keyboard, landmarks have names, and an empty corner of a table is no heading.
ACCESSIBLE = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper colwidths-auto docutils container">':
        '<div class="table-wrapper colwidths-auto docutils container" tabindex="0">',
    '<div class="cell_output docutils container">': '<div class="cell_output docutils container" tabindex="0">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="On this page">',
    "<th></th>": "<td></td>",
    '<th class="head"><p></p></th>': '<td class="head"></td>',
    '<div id="search-results"></div>': '<h1>Search</h1>\n<div id="search-results"></div>',
}  # fmt: skip


def _accessible(app: Sphinx, problem: Exception | None) -> None:
    """Mend in the finished pages what theme and notebook leave out."""
    for page in () if problem else Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for found, mended in ACCESSIBLE.items():
            text = text if mended in text and found in mended else text.replace(found, mended)
        page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write formulas as MathML, which browsers set by themselves."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.add_lexer("csv", TextLexer)
    app.connect("html-page-context", _levels, priority=900)
    app.connect("build-finished", _accessible)
