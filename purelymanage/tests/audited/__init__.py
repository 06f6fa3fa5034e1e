"""What changes something, and what it leaves on record: two tables, a world, and a walk.

A new address that takes a POST gets its line in `posts/`, a new task, chore or command in
`work.py`: how it is done, and the action that is then on record; or why nothing is.
"""
