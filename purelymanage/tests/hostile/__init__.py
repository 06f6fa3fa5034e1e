"""What an attacker would type: where it can be sent, what is sent, and what must not come back."""
