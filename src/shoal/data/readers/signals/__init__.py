"""Images and series: folders of image files, NumPy, HDF5, `.ts` files, and arrays in Python."""
