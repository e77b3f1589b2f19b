"""What a layer is: a change to a tree of files, in a tar, in a blob.

    apply(old, diff(old, new)) == new

Owns trees and their changes, whiteouts (which exist in a tar only), reading and writing layer tars in a stream, compression,
and the writable layer of a container. No layer is ever unpacked onto the machine: a file is a row that says where its bytes
begin. Nothing here knows of images, names or the store.

Read first: `tree` (the law; the size of a file and of a symbolic link are said there), then `changeset`.
"""
