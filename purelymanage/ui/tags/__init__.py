"""Our components as template tags, by kind; `{% load ui %}` brings all of them."""
