"""Models of Keras, read and written without it: what `.keras` files, `.h5` files and live models hold."""
