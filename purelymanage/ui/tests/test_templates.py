"""What holds for every template and file of the look."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.template import TemplateSyntaxError, engines
from django.template.loader import get_template
from django.urls import Resolver404, resolve

from purelymanage.ui import navigation
from purelymanage.ui.tags import atoms, blocks, forms, lists, words

ROOT = Path(settings.BASE_DIR)
TEMPLATES = [
    *sorted((ROOT / "templates").rglob("*.html")),
    *sorted(ROOT.glob("*/templates/**/*.html")),
]
PAGES = [path for path in TEMPLATES if "emails" not in path.parts]
INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\ssrc=)", re.I
)
STATIC = re.compile(r"""{%\s*static\s+["']([^"']+)["']""")
FRAME = "templates/base.html"
OF_THEIR_OWN = (
    "templates/accounts/passkey_scripts.html",
    "templates/mfa/recovery_codes/shown.html",
    "templates/ui/styleguide.html",
)
"""Templates that load what few pages need."""
MOMENT = r"\{%\s*moment\b(?:(?!\bas\b)[^%])*%\}"
GLUED = re.compile(
    rf"""(?:translate "[^"]*[\w,]"|[\w,]\{{%\s*endblocktranslate)\s*%\}}"""
    rf"""(?:\s*\{{%\s*end\w+\s*%\}})*\s*{MOMENT}"""
    rf"""|{MOMENT}\s*(?:\.|\{{%\s*translate "[a-z])"""
)
"""A moment in the middle of a sentence; other languages have it elsewhere."""
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|oklab|light-dark)\(", re.I)


def relative(path):
    return str(path.relative_to(ROOT))


def found_in_pages(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """What should be in none of them, by template."""
    found = {relative(path): pattern.findall(path.read_text()) for path in PAGES}
    return {name: findings for name, findings in found.items() if findings}


def test_no_template_has_inline_script_or_style():
    assert found_in_pages(INLINE) == {}


def test_the_check_for_inline_script_finds_it():
    for bad in (
        "<script>x</script>",
        '<p style="x">',
        '<a onclick="x">',
        "<style>",
        '<a HREF="javascript:x">',
    ):
        assert INLINE.search(bad), bad
    assert not INLINE.search('<script type="module" src="x.js"></script>')


def test_only_the_frame_and_pages_with_one_of_their_own_load_scripts_and_styles():
    loading = {relative(path) for path in PAGES if re.search(r"<script|<link", path.read_text())}
    assert loading == {FRAME, *OF_THEIR_OWN}


def test_a_sentence_with_a_moment_in_it_is_translated_as_a_whole():
    assert found_in_pages(GLUED) == {}


def test_the_check_for_glued_sentences_finds_them():
    for bad in (
        '{% translate "They are erased" %} {% moment erased_on due=True %}',
        "{% blocktranslate %}by {{ who }},{% endblocktranslate %} {% moment at %}",
        "{% if a %}{% blocktranslate %}next{% endblocktranslate %}{% endif %} {% moment at %}",
        "{% moment batch.erased_on %}.",
        '{% moment at %} {% translate "and are erased here." %}',
    ):
        assert GLUED.search(bad), bad
    good = "{% moment at as when %}{% blocktranslate %}Erased {{ when }}.{% endblocktranslate %}"
    assert not GLUED.search(good)


def test_every_template_compiles():
    problems = {}
    for path in TEMPLATES:
        try:
            engines["django"].from_string(path.read_text())
        except TemplateSyntaxError as error:
            problems[relative(path)] = str(error)
    assert problems == {}


def test_every_script_is_loaded_once():
    loading = "".join((ROOT / path).read_text() for path in (FRAME, *OF_THEIR_OWN))
    for script in (ROOT / "static/js").glob("*.js"):
        assert loading.count(f'"js/{script.name}"') == 1, script.name


def test_colours_are_named_once_in_the_tokens():
    for sheet in (ROOT / "static/css").glob("*.css"):
        if sheet.name != "tokens.css":
            assert COLOUR.findall(sheet.read_text()) == [], sheet.name
    tokens = re.findall(r"^\s*(--[\w-]+):", (ROOT / "static/css/tokens.css").read_text(), re.M)
    used = set()
    for sheet in (ROOT / "static/css").glob("*.css"):
        used |= set(re.findall(r"var\((--[\w-]+)", sheet.read_text()))
    local = {"--tone", "--tone-soft", "--tone-mark", "--solid", "--fill"}
    assert used - set(tokens) <= local


def test_the_finished_site_has_every_file_it_names(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    names = {name for path in TEMPLATES for name in STATIC.findall(path.read_text())}
    assert "css/tokens.css" in names
    for name in names:
        assert (tmp_path / staticfiles_storage.stored_name(name)).is_file()


def test_every_component_is_in_the_style_guide():
    pages = (ROOT / "templates/ui").glob("s*.html")
    text = "".join(page.read_text() for page in pages)
    for module in (atoms, words, blocks, forms, lists):
        for name in {*module.register.tags, *module.register.filters}:
            assert re.search(rf"({{%\s*{name}\b|\|{name}\b)", text), name


def test_every_component_documents_itself_with_an_example():
    for module in (atoms, words, blocks, forms, lists):
        for name in {*module.register.tags, *module.register.filters}:
            text = getattr(module, name).__doc__
            assert re.search(rf"({{%\s*{name}\b|\|{name}\b)", text), name


def test_the_style_guide_shows_every_colour_of_the_tokens(viewer_client):
    html = viewer_client.get("/styleguide/").content.decode()
    tokens = (ROOT / "static/css/tokens.css").read_text()
    colours = re.findall(r"^\s*--([\w-]+): (?:light-dark|oklch)\(", tokens, re.M)
    assert len(colours) > 25
    for name in set(colours) - {"scrim", "on-solid", "paper"}:
        assert f"<code>{name}</code>" in html


@pytest.mark.parametrize("place", navigation.SIDEBAR, ids=lambda place: place.key)
def test_every_place_of_the_sidebar_exists(place):
    try:
        resolve(place.url)
    except Resolver404:
        pytest.fail(f"{place.url} leads nowhere")


def test_the_error_pages_are_the_ones_django_asks_for():
    urls = import_module(settings.ROOT_URLCONF)
    assert not [name for name in dir(urls) if name.startswith("handler")]
    for name in ("400", "403", "403_csrf", "404", "410", "429", "500", "error"):
        get_template(f"{name}.html")
