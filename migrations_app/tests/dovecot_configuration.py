"""How the tests' Dovecot servers are configured, root or not."""

from __future__ import annotations

import getpass
import grp
import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrations_app.tests.dovecot import Dovecot


def configuration(server: Dovecot) -> str:
    """All of `dovecot.conf`."""
    me, my_group = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
    users = (
        "default_internal_user = dovecot\ndefault_login_user = dovenull"
        if server.is_root
        else f"default_internal_user = {me}\ndefault_login_user = {me}\n"
        f"default_internal_group = {my_group}"
    )
    chroots = "" if server.is_root else "chroot ="
    pair = server.certificates
    certificate = pair.self_signed if server.self_signed else pair.certificate
    key = pair.self_signed_key if server.self_signed else pair.key
    special = "\n".join(
        f"  mailbox {name} {{\n    special_use = \\{name}\n    auto = subscribe\n  }}"
        for name in ("Sent", "Junk", "Trash", "Drafts")
    )
    implicit = (
        f"inet_listener imaps {{\n    port = {server.port_tls}\n    ssl = yes\n  }}"
        if server.tls
        else "inet_listener imaps {\n    port = 0\n  }"
    )
    return f"""
protocols = imap
base_dir = {server.base}/run
state_dir = {server.base}/state
log_path = {server.base}/dovecot.log
{users}
listen = {server.host}, {server.misnamed_host}, {server.limited_host}
mail_max_userip_connections = 40
local {server.limited_host} {{
  protocol imap {{
    mail_max_userip_connections = 1
  }}
}}
ssl = {"yes" if server.tls else "no"}
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format =
auth_username_chars =
auth_failure_delay = 0
auth_cache_size = 0
first_valid_uid = 1
mail_uid = {server.mail_uid}
mail_gid = {pwd.getpwuid(server.mail_uid).pw_gid}
mail_location = sdbox:~/boxes
mail_fsync = never
mailbox_list_index = yes
mail_max_keyword_length = 100
mail_plugins = quota
namespace inbox {{
  inbox = yes
  prefix = {server.prefix}
  separator = {server.separator}
{special if server.special_use else ""}
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {server.users}/%Mu
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {server.users}/%Mu
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
}}
protocol imap {{
  mail_plugins = quota imap_quota
}}
service imap-login {{
  {chroots}
  inet_listener imap {{
    port = {server.port}
  }}
  {implicit}
  process_min_avail = 1
}}
service anvil {{
  {chroots}
}}
service stats {{
  {chroots}
}}
""" + (
        ""
        if server.is_root
        else f"""
service auth {{
  user = {me}
}}
service auth-worker {{
  user = {me}
}}
"""
    )
