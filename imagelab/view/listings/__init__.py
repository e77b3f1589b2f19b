"""Docker's answers about images, looked at closely: five definitions of dangling, three Dockers' listings, a removal before it is made.

It owns the definitions and the comparison. It never prints a listing itself (`output` does, as Docker) and never removes anything
(`state.removal` plans it, as for the real one).

Read first: `dangling`, then `removal`.
"""
