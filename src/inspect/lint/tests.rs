//! Properties of the linter.
