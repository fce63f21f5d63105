//! Journals as text: what is written can be read, and journals of every released version lead to the same states.
