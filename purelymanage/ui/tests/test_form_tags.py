"""Fields and how they are wired."""

import pytest
from django import forms

from purelymanage.ui.tests.rendering import render


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As it is signed.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    kind = forms.ChoiceField(choices=[("a", "Alias"), ("b", "Prefix")])
    pick = forms.ChoiceField(choices=[("a", "One"), ("b", "Two")], widget=forms.RadioSelect)
    dry_run = forms.BooleanField(required=False, help_text="Copies nothing.")
    password = forms.CharField(widget=forms.PasswordInput)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


@pytest.fixture
def form():
    return SampleForm()


@pytest.fixture
def refused():
    return SampleForm({"name": "", "kind": "zzz", "pick": "a", "password": "x"})


def test_a_field_has_label_control_and_help(form):
    html = render("{% field form.name autocomplete='name' %}", form=form)
    assert '<label class="label" for="id_name">Name</label>' in html
    assert 'class="input"' in html
    assert 'aria-describedby="id_name-help"' in html
    assert '<p class="help" id="id_name-help">As it is signed.</p>' in html
    assert 'autocomplete="name"' in html
    assert "autofocus" not in html


def test_optional_is_marked_and_required_is_not(form):
    assert "(optional)" in render("{% field form.note %}", form=form)
    assert "(optional)" not in render("{% field form.note optional=False %}", form=form)
    assert "(optional)" not in render("{% field form.name %}", form=form)


def test_a_field_in_error_says_so_and_the_first_takes_the_focus(refused):
    html = render("{% field form.name %}", form=refused)
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name-error id_name-help"' in html
    assert '<p class="error" id="id_name-error">' in html
    assert "autofocus" in html
    second = render("{% field form.kind %}", form=refused)
    assert 'aria-invalid="true"' in second
    assert "autofocus" not in second


def test_what_was_typed_stays():
    form = SampleForm({"name": "Lea", "note": "kept"})
    assert 'value="Lea"' in render("{% field form.name %}", form=form)
    assert "kept" in render("{% field form.note %}", form=form)


def test_each_kind_of_widget_has_its_shape(form):
    assert '<select name="kind" class="input select"' in render("{% field form.kind %}", form=form)
    assert '<textarea name="note"' in render("{% field form.note %}", form=form)
    check = render("{% field form.dry_run %}", form=form)
    assert '<label class="check"><input type="checkbox"' in check
    assert 'aria-describedby="id_dry_run-help"' in check
    radios = render("{% field form.pick %}", form=form)
    assert "<fieldset" in radios
    assert '<legend class="label">Pick</legend>' in radios
    assert radios.count('type="radio"') == 2
    hidden = render("{% field form.token %}", form=form)
    assert "<label" not in hidden


def test_one_error_needs_no_banner_and_several_get_links(refused):
    html = render("{% form_errors form %}", form=refused)
    assert "2 fields need a change." in html
    assert '<a href="#id_name">Name</a>' in html
    alone = SampleForm({"name": "", "kind": "a", "pick": "a", "password": "x"})
    assert render("{% form_errors form %}", form=alone) == ""
    assert render("{% form_errors form %}", form=SampleForm()) == ""


def test_an_error_of_the_whole_form_takes_the_focus():
    form = SampleForm({"name": "x", "kind": "a", "pick": "a", "password": "x"})
    form.add_error(None, "PurelyMail refused it.")
    html = render("{% form_errors form %}", form=form)
    assert "PurelyMail refused it." in html
    assert 'role="alert" tabindex="-1" autofocus' in html


def test_a_password_can_be_revealed_and_only_that(form):
    html = render("{% password_field form.password %}", form=form)
    assert 'type="password"' in html
    assert 'autocomplete="current-password"' in html
    assert 'data-reveal aria-pressed="false"' in html
    assert "data-generate" not in html
    assert "hx-post" not in html
    assert "data-copy-from" not in html


def test_a_new_password_can_be_generated_copied_and_judged(form):
    html = render(
        "{% password_field form.password generate=True strength=True copy=True %}", form=form
    )
    assert 'autocomplete="new-password"' in html
    assert "data-generate" in html
    assert 'data-copy-from="#id_password"' in html
    assert 'hx-post="/password-strength/?field=password"' in html
    assert 'hx-params="password"' in html
    assert 'hx-target="#id_password-strength"' in html
    assert 'id="id_password-strength" role="status"' in html


def test_a_password_the_page_already_holds_is_judged_at_once():
    class Prefilled(forms.Form):
        password = forms.CharField(widget=forms.PasswordInput(render_value=True))

    html = render(
        "{% password_field form.password strength=True %}",
        form=Prefilled(initial={"password": "h7@Kd2mQv%9sTzX4pLw#"}),
    )
    assert "Very strong" in html


def test_a_password_that_is_not_shown_is_not_judged():
    html = render(
        "{% password_field form.password strength=True %}",
        form=SampleForm({"password": "h7@Kd2mQv%9sTzX4pLw#"}),
    )
    assert "Very strong" not in html
    assert "h7@Kd2mQv" not in html


def test_chips_are_a_textarea_until_script_comes(form):
    html = render("{% chip_field form.note suggestions=known %}", form=form, known=["a@b.example"])
    assert "<textarea" in html
    assert "data-chips" in html
    assert 'data-suggestions="id_note-suggestions"' in html
    assert '<datalist id="id_note-suggestions"><option value="a@b.example">' in html


def test_an_address_is_typed_in_two_halves(form):
    html = render("{% address_field form.name form.kind %}", form=form)
    assert '<label class="label" for="id_name">' in html
    assert 'aria-label="Kind"' in html
    assert 'data-address-preview="name kind"' in html


def test_a_search_box_answers_to_the_slash_key():
    html = render("{% search_box value='lea' label='Search mailboxes' hx_get='/x/' %}")
    assert 'name="q" type="search" value="lea"' in html
    assert 'aria-label="Search mailboxes"' in html
    assert 'data-key="/"' in html
    assert 'hx-get="/x/"' in html


def test_a_filter_select_marks_what_is_in_force():
    html = render(
        "{% filter_select 'domain' choices value=3 label='Domain' %}",
        choices=[("", "All"), (3, "x")],
    )
    assert '<option value="3" selected>x</option>' in html
    assert '<option value="">All</option>' in html
