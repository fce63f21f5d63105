//! Answers as data: what each question about two generals, a flow or the protocol itself is answered with, before anybody puts
//! it into words.
//!
//! Each room has an `Answer`, made by one function from the question's parameters. It serialises, so that a page, `--json` and
//! whatever reads it have the same bytes, and a text is made from the same value. The names are the same in every answer:
//!
//! | member | |
//! | --- | --- |
//! | `protocol`, `title` | the protocol as it is typed, and in words |
//! | `adversary`, `adversary_in_words` | against whom the answer holds ([`Against`]): `any`, `at-most:2`, `per-round:1`, `iid:1/10` |
//! | `NAME`, `NAME_float` | every rational, exactly as `"a/b"`, and the nearest float beside it |
//! | counts | a number where every reader takes it exactly (up to 2^53), a string of digits otherwise |
//! | `sent`, `captures`, `captured` | how many messengers left, how many of them were captured, and which, from 0 in the order of sending |
//! | `outcome` | `both`, `alone_1`, `alone_2` or `neither`; or an object with these four members |
//! | `ordered` | whether general 1 and general 2 were given the order |
//! | `chain`, `links_to_..`, `same_for` | runs of which each looks to the general `same_for` as the one before it |

//!
//! ```
//! use handfast_lab::answers::odds;
//! use handfast_lab::generals::{Limits, Ratio, Shipped};
//!
//! let table = Shipped::Always { messengers: 5 }.tabulate(&Limits::default())?;
//! let answer = odds::answer(&table, "always", Some(Ratio::new(1, 10)))?;
//! let data = serde_json::to_value(&answer)?;
//! assert_eq!((&data["outcome"]["alone_1"], &data["outcome"]["alone_1_float"]), (&"1/100000".into(), &1e-5.into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod against;
pub mod bounds;
pub mod check;
pub mod decide;
pub mod flow;
pub mod grid;
pub mod knowledge;
mod object;
pub mod odds;
pub mod played;
pub mod problem;
pub mod replay;
pub mod simulate;
pub mod suite;

pub use against::Against;
