"""Parts of all panels: the current study, the study bar, the selection and the scores of cells."""
