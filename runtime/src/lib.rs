//! dd-traced
