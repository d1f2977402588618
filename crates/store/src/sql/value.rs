//! Values of markers: text, 64-bit numbers, and the absence of either.

use std::sync::Arc;

/// A value on its way to a database. PostgreSQL wants the type of a NULL too.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

/// A text as both databases can store it. PostgreSQL takes every character but U+0000, which a client
/// may well send; U+FFFD is kept for it.
pub(crate) fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// What can be bound.
pub(crate) trait Bind: Sized {
    /// NULL of this type.
    const NULL: Value;

    /// The value, copied.
    fn value(self) -> Value;
}

impl Bind for i64 {
    const NULL: Value = Value::Number(None);

    fn value(self) -> Value {
        Value::Number(Some(self))
    }
}

impl Bind for bool {
    const NULL: Value = Value::Number(None);

    fn value(self) -> Value {
        Value::Number(Some(i64::from(self)))
    }
}

impl Bind for u32 {
    const NULL: Value = Value::Number(None);

    fn value(self) -> Value {
        Value::Number(Some(i64::from(self)))
    }
}

impl Bind for String {
    const NULL: Value = Value::Text(None);

    fn value(self) -> Value {
        Value::Text(Some(storable(self)))
    }
}

impl Bind for &str {
    const NULL: Value = Value::Text(None);

    fn value(self) -> Value {
        self.to_owned().value()
    }
}

impl Bind for Arc<str> {
    const NULL: Value = Value::Text(None);

    fn value(self) -> Value {
        (*self).to_owned().value()
    }
}

impl<T: Bind + Clone> Bind for &T {
    const NULL: Value = T::NULL;

    fn value(self) -> Value {
        self.clone().value()
    }
}

impl<T: Bind> Bind for Option<T> {
    const NULL: Value = T::NULL;

    fn value(self) -> Value {
        self.map_or(T::NULL, Bind::value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_value_keeps_its_type() {
        assert!(matches!(None::<String>.value(), Value::Text(None)));
        assert!(matches!(None::<&str>.value(), Value::Text(None)));
        assert!(matches!((&None::<i64>).value(), Value::Number(None)));
        assert!(matches!(Some(true).value(), Value::Number(Some(1))));
        assert!(matches!((&Some("a".to_owned())).value(), Value::Text(Some(text)) if text == "a"));
    }

    #[test]
    fn a_text_is_stored_without_the_one_character_that_postgresql_refuses() {
        assert!(matches!("a\0b".value(), Value::Text(Some(text)) if text == "a\u{fffd}b"));
    }
}
