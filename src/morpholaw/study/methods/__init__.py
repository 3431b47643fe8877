"""The methods of a study, by what they are about; :class:`morpholaw.study.study.Study` lists them."""
