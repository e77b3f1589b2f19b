"""Answers as Docker prints them: tables, objects, progress and a build's lines, for the Dockers of three eras.

It owns what a line of output looks like: columns and their widths, `--format`, sizes and times, each era's words (`eras`). Values
go in and text comes out: nothing here asks an engine, opens a lab or reads a clock; the time, the zone and the era are parameters.
Pictures and HTML are `view`'s.

    rows, tabwriter    any listing: a template or a table;  `objects`: inspect, version, info
    images, containers, image_tree, timeline    the listings
    build, buildkit, progress    what a build and a pull say while they work;  `streams`: a program's bytes

Read first: `images`, then `eras`.
"""
