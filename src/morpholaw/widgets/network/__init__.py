"""The Network panel: the sparse network of scheme 3 as a drawing that answers to the mouse."""
