"""Sorting, filters, selecting, paging."""

import re

from django.core.paginator import Paginator
from django.template.loader import get_template
from django.utils.translation import gettext_lazy

from purelymanage.ui.tests.rendering import render

PAGES = Paginator(range(312), 50)


def test_paging_keeps_the_filters():
    html = render("{% paging page %}", path="/mailboxes/?q=lea&page=2", page=PAGES.page(2))
    assert "51\N{EN DASH}100 of 312" in html
    assert 'href="/mailboxes/?q=lea"' in html
    assert 'href="/mailboxes/?q=lea&amp;page=3"' in html
    assert "hx-get" not in html


def test_paging_fetches_the_fragment_where_there_is_a_target():
    html = render("{% paging page hx_target='#rows' %}", path="/m/", page=PAGES.page(1))
    assert 'hx-get="/m/?page=2"' in html
    assert 'hx-push-url="true"' in html
    assert 'role="link" aria-disabled="true"' in html


def test_paging_may_be_told_the_filters_and_that_there_is_more_than_is_paged():
    html = render(
        "{% paging page query='?q=lea' is_capped=True %}", path="/m/?q=old", page=PAGES.page(1)
    )
    assert "1\N{EN DASH}50 of more than 312" in html
    assert 'href="/m/?q=lea&amp;page=2"' in html


def test_a_select_may_have_groups():
    html = render(
        "{% filter_select 'action' choices value='b' label='Action' %}",
        choices=[("", "All"), ("<Group>", [("a", "A"), ("b", "B")])],
    )
    assert (
        '<option value="">All</option><optgroup label="&lt;Group&gt;"><option value="a">A</option>'
        '<option value="b" selected>B</option></optgroup>'
    ) in html


def test_one_page_has_no_buttons_and_an_empty_list_no_paging():
    assert "<a" not in render("{% paging page %}", page=Paginator(range(7), 50).page(1))
    assert render("{% paging page %}", page=Paginator([], 50).page(1)) == ""


def test_a_sorted_column_says_so_and_turns_round():
    html = render("{% sort_head 'Address' 'address' %}", path="/m/?sort=address&page=3&q=x")
    assert 'aria-sort="ascending"' in html
    assert "<svg" in html
    assert 'href="/m/?q=x&amp;sort=-address"' in html


def test_a_column_that_is_not_sorted_has_no_arrow():
    html = render("{% sort_head 'Rules' 'rules' current='-address' css_class='num' %}", path="/m/")
    assert "aria-sort" not in html
    assert "<svg" not in html
    assert 'class="num"' in html
    assert 'href="/m/?sort=rules"' in html


def test_the_order_in_force_may_be_the_default():
    html = render("{% sort_head 'Address' 'address' current='-address' %}", path="/m/")
    assert 'aria-sort="descending"' in html
    assert 'href="/m/?sort=address"' in html


def test_filters_are_links_with_counts():
    html = render("{% filter_links items label='State' %}", items=[("All", "/x/", True, 1312)])
    assert '<a class="filter" href="/x/" aria-current="true">All <span>1,312</span></a>' in html


def test_the_boxes_belong_to_the_bar():
    html = render(
        "{% selection_bar action='/bulk/' total=1312 %}{% button 'Export' %}{% endselection_bar %}"
        "{% pick_all 'Select this page' %}{% pick 17 'Select lea' %}",
        csrf_token="abc",
    )
    assert '<form class="selection" id="selection" method="post" action="/bulk/"' in html
    assert 'data-total="1312"' in html
    assert "Select all 1,312" in html
    assert html.count('form="selection"') == 2
    assert 'name="selected" type="checkbox" value="17"' in html
    assert 'name="everything" value=""' in html
    assert 'value="abc"' in html


def test_a_search_ends_where_an_address_does():
    html = render("{% search_box label='Search' %}")
    assert 'maxlength="254"' in html


ROWS = (
    "{% for pk, name, busy in rows %}"
    "{% stamp 'ui/sample_menu.html' pk=pk name=name busy=busy %}{% endstamp %}"
    "{% endfor %}"
)


def test_a_stamp_is_rendered_once_for_all_rows_that_are_alike():
    template = get_template("ui/sample_menu.html").template
    template.__dict__.pop("stamps", None)
    html = render(ROWS, rows=[(1, "a@x", False), (2222, "b@x", None), (3, "c@x", True)])
    render(ROWS, rows=[(4, "d@x", False)])
    assert len(template.stamps) == 2
    assert 'id="row-1"' in html
    assert 'popovertarget="row-2222" aria-label="More actions for b@x"' in html
    assert "More actions for c@x" in html
    assert not re.search("[\ue000\ue001]", html)


def test_a_stamp_can_hold_something_of_each_row():
    html = render(
        "{% for mailbox, rules in rows %}"
        "{% stamp 'ui/sample_row.html' pk=forloop.counter name=mailbox parted=mailbox"
        " rules=rules has_rules=rules %}<b>{{ mailbox }}</b>{% endstamp %}"
        "{% endfor %}",
        rows=[("a<@x", "1,312"), ("b@x", "")],
    )
    assert "<b>a&lt;@x</b>" in html
    assert "<b>b@x</b>" in html
    assert html.count("1,312") == 1
    assert not re.search("[\ue000\ue001]", html)


def test_a_stamp_shows_words_that_are_yet_to_be_translated():
    html = render(ROWS, rows=[(1, gettext_lazy("Catch-all"), False)])
    assert "More actions for Catch-all" in html


def test_a_stamp_escapes_what_is_filled_in():
    html = render(ROWS, rows=[(1, "<script>&\"'", False)])
    assert "More actions for &lt;script&gt;&amp;&quot;&#x27;" in html
    assert "<script>" not in html
