"""The look before copying: what is there, what stands in the way, how long it takes."""
