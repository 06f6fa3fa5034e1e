"""Whether a page may promise a mail."""

from django.template import Library

from purelymanage.core.mail import is_mail_set_up

register = Library()
register.simple_tag(is_mail_set_up)
