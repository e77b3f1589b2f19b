"""What stands in the README of a lab's directory: for those who open it with a file manager."""

README = """\
This directory is a lab of imagelab: Docker images as plain files.

  blobs/sha256/   every file is named by the SHA-256 of its bytes; try   ls -l blobs/sha256
                  the small ones are JSON (manifests, configs), the others are layers: tar, mostly gzipped
  lab.db          an SQLite database: which name stands for which image, and what changed in which container
  partial/        downloads that broke off; the next pull goes on from there
  cache/          may be deleted at any time

Check that nothing is damaged with   imagelab --lab . doctor
"""
