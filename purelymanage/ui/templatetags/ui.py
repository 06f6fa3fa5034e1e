"""`{% load ui %}`: every component of ours. What each takes, with an example, is in its docstring.

| Kind | Module | Names |
|---|---|---|
| small ones | `ui/tags/atoms.py` | icon button icon_button status badge job_state job_badge dns_state dns_badge count address dash copy_value progress_bar bar_parts; filter shown |
| words | `ui/tags/words.py` | moment; filters filesize_si grouped clock_time duration |
| blocks | `ui/tags/blocks.py` | page_head card setting empty banner tabs dialog menu menu_item toast shown_once |
| forms | `ui/tags/forms.py` | field form_errors password_field address_field chip_field switch |
| lists | `ui/tags/lists.py` | search_box filter_select filter_links sort_head paging pick_all pick selection_bar stamp |

All of them, in every state, are on the style-guide page, `/styleguide/`.
"""  # noqa: E501  a table

from django.template import Library

from purelymanage.ui.tags import atoms, blocks, forms, frame, lists, words

register = Library()
for module in (atoms, words, blocks, forms, lists, frame):
    register.tags.update(module.register.tags)
    register.filters.update(module.register.filters)
