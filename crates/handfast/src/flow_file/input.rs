//! Reads `[input]`: what an order holds besides its id.

use handfast_toml::{DeValue, FileError, Source, Spanned, Table, kind_of};

use super::field::{self, Field, FieldType};
use super::file::choose;

/// The most fields of an order.
const MAX_FIELDS: usize = 100;

pub(super) fn read(source: Source<'_>, input: Option<&Spanned<DeValue<'_>>>) -> Result<Vec<Field>, FileError> {
    let Some(input) = input else {
        return Ok(Vec::new());
    };
    let Some(table) = input.get_ref().as_table() else {
        return Err(source.error(input.span(), format!("input must be a table, as in [input], and it is {}", kind_of(input))));
    };
    let table = Table::new(source, table, input.span(), "[input]");
    let entries = table.in_order();
    if let Some((key, _)) = entries.get(MAX_FIELDS) {
        return Err(source.error(key.span(), format!("[input] has more than {MAX_FIELDS} fields")));
    }
    entries.into_iter().map(|(key, value)| read_field(source, &Spanned::new(key.span(), key.get_ref().as_ref()), value)).collect()
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
