//! CSV through a mapping: a small TOML file says which column is what. A row seen through a mapping is read by
//! the very visitor that reads canonical JSON, so both know the same fields and refuse the same values.

mod amount;
mod file;
mod mapping;
mod reading;
mod row;
mod rows;
mod sides;
mod times;

pub(crate) use mapping::Origin;
pub use mapping::{Mapping, MappingError};
pub(crate) use row::Bound;
pub use rows::Rows;
