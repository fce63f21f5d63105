//! Reads `[input]`: what an order holds besides its id.

use handfast_toml::{DeValue, FileError, Source, Spanned, Table, kind_of};

use super::errors::Found;
use super::field::{self, Field, FieldType};
use super::file::choose;

/// The most fields of an order.
const MAX_FIELDS: usize = 100;

/// The fields of an order.
pub(super) struct Fields {
    /// Each of them. One that is wrong is among them as a text, so that whoever names it is not told that there is none.
    pub(super) all: Vec<Field>,
    /// Whether every one could be read.
    pub(super) are_sound: bool,
}

pub(super) fn read(source: Source<'_>, input: Option<&Spanned<DeValue<'_>>>, found: &mut Found) -> Option<Fields> {
    let Some(input) = input else {
        return Some(Fields { all: Vec::new(), are_sound: true });
    };
    let table = input.get_ref().as_table();
    let table = table
        .ok_or_else(|| source.error(input.span(), format!("input must be a table, as in [input], and it is {}", kind_of(input))));
    let table = Table::new(source, found.take(table)?, input.span(), "[input]");
    let entries = table.in_order();
    if let Some((key, _)) = entries.get(MAX_FIELDS) {
        found.add(source.error(key.span(), format!("[input] has more than {MAX_FIELDS} fields; leave out what no step sends")));
        return None;
    }
    let mut fields = Fields { all: Vec::new(), are_sound: true };
    for (key, value) in entries {
        let name = Spanned::new(key.span(), key.get_ref().as_ref());
        let field = found.take(read_field(source, &name, value));
        fields.are_sound &= field.is_some();
        let unsound = || Field { name: (*name.get_ref()).to_owned(), field_type: FieldType::Text, optional: false };
        fields.all.push(field.unwrap_or_else(unsound));
    }
    Some(fields)
}

fn read_field(source: Source<'_>, name: &Spanned<&str>, value: &Spanned<DeValue<'_>>) -> Result<Field, FileError> {
    if *name.get_ref() == "id" {
        return Err(source.error(name.span(), "every order has an id anyway; remove it from [input]"));
    }
    if !field::is_name(name.get_ref()) {
        let message = format!(
            "{:?} cannot be the name of a field; use 1 to 64 letters, digits and _, not starting with a digit",
            name.get_ref()
        );
        return Err(source.error(name.span(), message));
    }
    let (field_type, optional) = if let Some(table) = value.get_ref().as_table() {
        let table = Table::new(source, table, value.span(), format!("the field {}", name.get_ref()));
        table.only(&["type", "optional"])?;
        (table.wanted_text("type", "type = \"text\"")?, table.flag("optional")?)
    } else if let Some(text) = value.get_ref().as_str() {
        (Spanned::new(value.span(), text), false)
    } else {
        let message = format!(
            "a field's type is text, as in {name} = \"money\" or {name} = {{ type = \"money\", optional = true }}, and this is {}",
            kind_of(value),
            name = name.get_ref()
        );
        return Err(source.error(value.span(), message));
    };
    let field_type = choose(source, &field_type, "type of a field", &FieldType::ALL.map(|it| (it.name(), it)))?;
    Ok(Field { name: (*name.get_ref()).to_owned(), field_type, optional })
}
