"""A Dockerfile, from text to what each line does to a config. Nothing is built here.

    text --parser--> lines --instructions--> stages of typed instructions --config--> the next image's config

Owns the grammar with its escapes and here-documents, words and quoting, `$NAME`, ARG, ONBUILD, and `.dockerignore`. Where
files come from, what RUN runs and what is cached is the engine's affair.

Read first: `parser`, then `instructions`.
"""
