//! Sticky provider routing (inference spec 14.2).
