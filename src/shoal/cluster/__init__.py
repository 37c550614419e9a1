"""Where members are trained: in this process, in others that see one folder, or on a Dask cluster."""
