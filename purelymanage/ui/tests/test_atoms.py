"""The small components."""

import pytest
from django.apps import apps
from django.template import TemplateSyntaxError
from lucide import IconDoesNotExist

from purelymanage.ui.icons import ALIASES, DASHED, draw
from purelymanage.ui.states import DNS_STATES, JOB_STATES, BarPart
from purelymanage.ui.tests.rendering import render


def test_every_name_our_design_uses_is_an_icon():
    looks = [*JOB_STATES.values(), *DNS_STATES.values()]
    for name in {*ALIASES, *DASHED, *(look.icon for look in looks)}:
        assert draw(name).startswith("<svg ")


def test_an_unknown_icon_fails_loudly():
    with pytest.raises(IconDoesNotExist):
        render('{% icon "unicorn" %}')


def test_an_icon_is_hidden_from_screen_readers_and_the_loader_turns():
    html = render('{% icon "loader" %}')
    assert 'aria-hidden="true"' in html
    assert 'class="icon spin"' in html
    assert "stroke=" not in html


def test_a_button_sends_its_form():
    html = render('{% button "Save" kind="primary" size="sm" name="do" value="save" %}')
    assert html.startswith("<button ")
    for attribute in ('type="submit"', 'class="btn btn-primary btn-sm"', 'value="save"'):
        assert attribute in html


def test_a_button_with_an_address_is_a_link():
    html = render('{% button "New rule" icon="plus" href="/routing/new/" data_key="n" %}')
    assert html.startswith("<a ")
    assert 'href="/routing/new/"' in html
    assert 'data-key="n"' in html
    assert "type=" not in html


def test_a_button_that_opens_something_does_not_send_the_form():
    assert 'type="button"' in render('{% button "Delete…" data_opens="delete" %}')
    assert 'type="button"' in render('{% icon_button "More" icon="ellipsis" popovertarget="m" %}')


def test_a_disabled_button_stays_focusable_and_does_nothing():
    html = render('{% button "Launch all" disabled=True %}')
    assert 'aria-disabled="true"' in html
    assert 'type="button"' in html
    assert " disabled" not in html


def test_a_busy_button_says_so():
    assert 'aria-busy="true"' in render('{% button "Checking…" busy=True %}')


def test_attribute_values_are_escaped_even_as_literals():
    html = render("""{% button "Go" hx_vals='{"a": "b"}' title=title %}""", title='"><script>')
    assert 'hx-vals="{&quot;a&quot;: &quot;b&quot;}"' in html
    assert "<script>" not in html


def test_what_a_person_typed_is_escaped_everywhere():
    bad = '<img src=x onerror="x">@example.com'
    for tag in (
        "{% address bad %}",
        "{% copy_value bad %}",
        "{% button bad %}",
        "{% icon_button bad icon='copy' data_copy=bad %}",
        "{% status 'ok' 'check' bad %}",
        "{% shown_once bad bad %}",
        "{% page_head title=bad description=bad %}{{ bad }}{% endpage_head %}",
        "{% card title=bad meta=bad %}{{ bad }}{% endcard %}",
        "{% empty icon='mail' title=bad text=bad %}{% endempty %}",
        "{% banner title=bad %}{{ bad }}{% endbanner %}",
        "{% dialog id='d' title=bad confirm=bad %}{{ bad }}{% enddialog %}",
        "{% menu id='m' label=bad %}{% menu_item bad icon='x' data_copy=bad %}{% endmenu %}",
        "{% setting bad bad %}{% switch 's' label=bad %}{% endsetting %}",
        "{% search_box value=bad label=bad %}",
        "{% filter_select 'd' choices value=bad label=bad %}",
        "{% tabs items %}{% filter_links items label=bad %}",
        "{% pick bad bad %}{{ bad|marked:'img' }}",
    ):
        html = render(tag, bad=bad, choices=[(bad, bad)], items=[(bad, "/", True, 1)])
        assert "<img" not in html, tag
        assert "<mark>img</mark>" in html or "&lt;img" in html, tag


def test_a_copy_button_has_the_tick_that_follows():
    html = render('{% icon_button "Copy it" icon="copy" data_copy="it" %}')
    assert 'class="icon before"' in html
    assert 'class="icon after"' in html
    assert 'aria-label="Copy it"' in html


def test_verdicts_have_an_icon_and_a_word():
    html = render('{% status "warn" "clock" "Deletion pending" %}')
    assert html.startswith('<span class="status warn"><svg')
    assert html.endswith("Deletion pending</span>")
    assert render('{% badge "ok" "check" "Here" %}').startswith('<span class="badge ok">')


def test_every_state_of_a_job_has_a_look():
    job = apps.get_model("migrations_app", "MigrationJob")
    choices = dict(job._meta.get_field("state").choices)
    assert {*choices} == {*JOB_STATES}
    for state, label in choices.items():
        assert str(label) in render("{% job_state state %}", state=state)
        assert 'class="badge' in render("{% job_badge state %}", state=state)


def test_no_answer_is_grey_never_red():
    html = render('{% dns_state "no_answer" %}')
    assert 'class="status idle"' in html
    assert "icon dashed" in html


def test_a_count_says_of_what():
    html = render('{% count 4 tone="info" words="running" %}')
    assert 'class="count info"' in html
    assert '<span class="visually-hidden"> running</span>' in html


def test_an_address_may_break_before_its_domain():
    html = render('{% address "lea@lindenhof.example" %}')
    assert html == 'lea<wbr><span class="at">@lindenhof.example</span>'
    assert render('{% address "everyone" %}') == "everyone"


def test_a_bar_without_a_total_promises_nothing():
    assert " value" not in render("{% progress_bar value=done max=total %}", done=3, total=None)
    html = render('{% progress_bar value=done max=total label="Copied" %}', done=8412, total=12370)
    assert 'value="8412"' in html
    assert 'max="12370"' in html


def test_a_bar_in_parts_says_what_it_draws_and_leads_there():
    parts = [BarPart("ok", 3, "3 done", "/x/?state=done"), BarPart("bad", 1, "<1> failed", "/y/")]
    html = render("{% bar_parts parts %}", parts=parts)
    assert 'role="img" aria-label="3 done, &lt;1&gt; failed"' in html
    assert '<rect class="ok" x="0.00%" width="75.00%" height="100%"/>' in html
    assert '<rect class="bad" x="75.00%" width="25.00%" height="100%"/>' in html
    assert '<li class="ok"><a href="/x/?state=done"><i></i>3 done</a></li>' in html
    assert "<li" not in render("{% bar_parts parts legend=False %}", parts=parts)
    assert "<rect" not in render("{% bar_parts parts %}", parts=[])


def test_a_component_without_its_required_input_does_not_compile():
    with pytest.raises(TemplateSyntaxError):
        render('{% icon_button "Copy" %}')
