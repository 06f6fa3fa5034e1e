"""What pages are built of."""

from purelymanage.ui.tests.rendering import render


def test_a_page_head_has_the_only_h1_and_the_parents():
    html = render(
        '{% job_badge "running" as badge %}'
        "{% page_head title='Job 7' badge=badge crumbs=crumbs description='One.' %}"
        "{% button 'Cancel' %}{% endpage_head %}",
        crumbs=[("Migrations", "/migrations/"), ("Batch", "/migrations/batches/1/")],
    )
    assert html.count("<h1>") == 1
    assert '<h1>Job 7 <span class="badge info">' in html
    assert '<a href="/migrations/">Migrations</a>' in html
    assert '<div class="actions"><button' in html


def test_a_page_head_without_actions_leaves_no_box():
    assert "actions" not in render("{% page_head title='About' %} {% endpage_head %}")


def test_a_card_is_named_by_its_title():
    html = render(
        "{% card title='Routing rules' href='/routing/' link='All rules' %}x{% endcard %}"
    )
    assert '<section aria-labelledby="routing-rules-title" class="panel">' in html
    assert '<h2 id="routing-rules-title">Routing rules</h2>' in html
    assert '<a class="end small" href="/routing/">All rules</a>' in html
    assert "panel-body" not in html


def test_a_card_takes_a_body_attributes_and_actions():
    html = render(
        "{% button 'Recheck' as again %}"
        "{% card title='Records' id='records' body='stack' actions=again hx_get='/x/' %}"
        "x{% endcard %}"
    )
    assert 'id="records"' in html
    assert 'hx-get="/x/"' in html
    assert '<div class="panel-body stack">x</div>' in html
    assert '<div class="actions"><button' in html


def test_a_banner_interrupts_only_for_bad_news():
    assert 'role="alert"' in render("{% banner tone='bad' %}x{% endbanner %}")
    assert 'role="status"' in render("{% banner tone='warn' %}x{% endbanner %}")
    assert "role=" not in render("{% banner %}x{% endbanner %}")


def test_tabs_mark_the_current_one():
    html = render(
        "{% tabs items label='Domain' %}", items=[("A", "/a/", True, 61), ("B", "/b/", False, None)]
    )
    assert '<a href="/a/" aria-current="page">A <span class="count">61</span></a>' in html
    assert '<a href="/b/">B</a>' in html


def test_a_dialog_focuses_the_safe_answer_and_posts_the_other():
    html = render(
        "{% dialog id='delete' title='Delete it?' action='/x/' confirm='Delete' keep='Keep it' "
        "name='do' value='delete' hx_post='/x/' %}It goes.{% enddialog %}",
        csrf_token="abc",
    )
    assert "data-closes autofocus>Keep it</button>" in html
    assert '<form method="post" action="/x/" hx-post="/x/">' in html
    assert 'name="csrfmiddlewaretoken" value="abc"' in html
    assert '<button class="btn btn-danger" name="do" value="delete">Delete</button>' in html


def test_a_dialog_can_send_a_form_of_the_page():
    html = render(
        "{% dialog id='d' title='?' form='selection' action='/bulk/' confirm='Go' %}{% enddialog %}"
    )
    assert '<form method="dialog">' in html
    assert 'form="selection" formaction="/bulk/"' in html
    assert "csrf" not in html


def test_a_dialog_without_an_act_can_only_be_closed():
    html = render("{% dialog id='d' title='Keys' %}x{% enddialog %}")
    assert html.count("<button") == 1
    assert ">Close</button>" in html


def test_a_dialog_in_an_answer_opens_by_itself():
    html = render("{% dialog id='d' title='Keys' opened=True %}x{% enddialog %}")
    assert " open data-open-now>" in html


def test_a_menu_hangs_under_its_button():
    html = render(
        "{% menu id='m1' label='More actions for x' %}"
        "{% menu_item 'Open' icon='settings' href='/x/' %}<hr>"
        "{% menu_item 'Delete…' icon='trash' danger=True data_opens='d' %}{% endmenu %}"
    )
    assert 'popovertarget="m1" aria-label="More actions for x"' in html
    assert '<div class="menu" id="m1" popover>' in html
    assert '<button class="bad" data-opens="d" type="button">' in html


def test_an_empty_list_says_what_to_do():
    html = render(
        "{% empty icon='mail' title='No mailboxes yet' text='Why.' %}"
        "{% button 'New mailbox' href='/mailboxes/new/' %}{% endempty %}"
    )
    assert "<h3>No mailboxes yet</h3> <p>Why.</p>" in html
    assert '<div class="actions"><a' in html


def test_a_secret_is_shown_with_its_copy_button():
    html = render("{% shown_once 'Password of x' 'h7@Kd2' %}")
    assert '<span class="mono">h7@Kd2</span>' in html
    assert 'data-copy="h7@Kd2"' in html
    assert "not stored anywhere" in html


def test_a_setting_labels_its_switch():
    html = render(
        "{% setting 'Index' 'What it does.' control='id_index' %}"
        "{% switch 'index' checked=True hx_post='/x/' %}{% endsetting %}"
    )
    assert '<label class="label" for="id_index">Index</label>' in html
    assert 'role="switch"' in html
    assert 'id="id_index"' in html
    assert " checked" in html
