"""An image layer by layer, what its layers hide and waste; and two images side by side.

It owns what an entry of a layer is to the layers below, and which bytes the finished image does not show. It never unpacks a layer:
it reads the indexes of layers, and bytes through a function it is given.

Read first: `model`, then `printers`; `comparison` stands on both.
"""
