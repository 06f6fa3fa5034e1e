"""How often anybody may do what costs something or could be guessed: every limit of the panel.

`number/time/per`, several separated by commas, all of which count; `15m` is a quarter of an hour.
`ip` is the client's address as TRUSTED_PROXIES lets us know it (an IPv6 network of 64 bits counts
as one), `user` the signed-in account, `key` what the place in question names: an account somebody
tries to get into, or the whole panel.

Whoever works with the panel never meets those below "Signed in": they are several times what a
hand can click, and there for scripts and stuck keys.
"""

RATES = {
    # The front door
    "sign_in": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",  # passwords by account, codes by account: counted apart
    "sign_in_passkey": "30/m/ip",  # nothing to guess; it costs a signature check
    "reset_mail": "10/15m/ip,3/15m/key",  # a mail each, to somebody who may not have asked
    "new_password": "20/m/ip",
    "invitation": "30/m/ip",
    "setup": "30/15m/ip",  # the code has 60 bits
    "password_strength": "300/m/ip",  # asked while one types
    "failures_on_record": "1000/h/key",
    # Signed in: oneself
    "confirm_identity": "10/15m/user,100/d/user,30/m/ip",  # or a stolen session guesses on
    "change_factor": "20/m/user,60/m/ip",
    # Signed in: mails to others
    "invite": "30/h/user,60/h/ip",
    "notify": "6/m/user,12/m/ip",  # a mail to oneself, and one message to each chat
    # Signed in: what asks PurelyMail, name servers or mail servers
    "ask": "120/m/user,240/m/ip",  # one call, or a few
    "ask_much": "12/m/user,24/m/ip",  # a call for each of many
    "connect": "20/m/user,40/m/ip",  # to a server somebody typed: no tool to look for open ports
    # Signed in: what reads or writes many rows
    "bulk": "30/m/user,60/m/ip",
    "export": "20/m/user,40/m/ip",
    "verify": "6/m/user,12/m/ip",
    # Signed in: a few rows of ours, also while one types
    "write": "240/m/user,480/m/ip",
    "preview": "300/m/user,600/m/ip",
}
