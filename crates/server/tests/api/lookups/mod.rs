//! Questions that the server answers.

mod resource;
