//! An order: what is placed, with the body of every step by the step's name.

use bytes::Bytes;

/// The longest body of a step's act, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// An order: what is to happen in *both* or *neither*.
///
/// ```
/// use handfast::Order;
///
/// let order = Order::new("order-1", r#"{"item":"tea","cents":450}"#)
///     .body("payment", r#"{"cents":450}"#)
///     .body("dispatch", r#"{"item":"tea"}"#)
///     .of_flow("shop");
/// # drop(order);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Names the saga: 1 to 128 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `~` and `-`, and neither `.` nor `..`. Placing it again is
    /// placing nothing.
    pub id: String,
    /// The key of the request that places it, if there is one: any text that its caller drew for this order and sends again
    /// with every repetition. A key stands for one order as long as its saga is kept. Only its SHA-256 is stored.
    pub request_key: Option<String>,
    /// The flow it follows, by name; may be left out where the engine has only one.
    pub flow: Option<String>,
    /// The definition that it was made for, by its hash, where it is to be taken by no other.
    pub(super) definition: Option<[u8; 32]>,
    /// The order as it came, byte for byte: it tells a repeated order from another one of the same id.
    pub input: Vec<u8>,
    #[doc(hidden)]
    pub bodies: Vec<Bytes>,
    /// Whose they are, or `None` where they stand in the flow's order.
    steps: Option<Vec<String>>,
}

impl Order {
    /// An order for the engine's only flow, to which the [`body`](Self::body) of every step has to be added.
    #[must_use]
    pub fn new(id: impl Into<String>, input: impl Into<Vec<u8>>) -> Self {
        let (bodies, steps) = (Vec::new(), Some(Vec::new()));
        Self { id: id.into(), request_key: None, flow: None, definition: None, input: input.into(), bodies, steps }
    }

    /// The same order with the body of this step's act: JSON, at most [`MAX_BODY_BYTES`]. An order that lacks the body of a
    /// step, or has one for a step that its flow does not have, is not taken.
    #[must_use]
    pub fn body(mut self, step: impl Into<String>, body: impl Into<Bytes>) -> Self {
        self.steps.get_or_insert_default().push(step.into());
        self.bodies.push(body.into());
        self
    }

    /// An order whose bodies stand in the flow's order: for tests that try every kind of flow. It is not noticed where two of
    /// them are swapped.
    #[doc(hidden)]
    #[must_use]
    pub fn in_flow_order(id: impl Into<String>, input: impl Into<Vec<u8>>, bodies: Vec<impl Into<Bytes>>) -> Self {
        let bodies = bodies.into_iter().map(Into::into).collect();
        Self { bodies, steps: None, ..Self::new(id, input) }
    }

    /// The same order, for the flow of this name.
    #[must_use]
    pub fn of_flow(self, name: impl Into<String>) -> Self {
        Self { flow: Some(name.into()), ..self }
    }

    /// The same order, to be taken by the definition of this hash alone: where its flow is at hand as another one by then, it is
    /// [`Redefined`](crate::SubmitError::Redefined).
    #[must_use]
    pub fn of_definition(self, hash: [u8; 32]) -> Self {
        Self { definition: Some(hash), ..self }
    }

    /// The same order, placed by a request with this key.
    #[must_use]
    pub fn with_request_key(self, key: impl Into<String>) -> Self {
        Self { request_key: Some(key.into()), ..self }
    }

    /// Puts the bodies into the order of the flow's steps, or says which is missing or too many.
    pub(super) fn arrange<'a>(&mut self, steps: impl ExactSizeIterator<Item = &'a str> + Clone) -> Result<(), String> {
        let Some(named) = self.steps.take() else {
            let (has, wants) = (self.bodies.len(), steps.len());
            return if has == wants { Ok(()) } else { Err(format!("there are {has}, and the flow has {wants} steps")) };
        };
        if let Some(other) = named.iter().find(|name| steps.clone().all(|step| step != *name)) {
            let known = steps.collect::<Vec<_>>().join(", ");
            return Err(format!("there is one for {other:?}, and the flow's steps are {known}"));
        }
        let mut arranged = Vec::with_capacity(steps.len());
        for step in steps {
            let mut of_step = named.iter().zip(&self.bodies).filter(|(name, _)| *name == step);
            match (of_step.next(), of_step.next()) {
                (Some((_, body)), None) => arranged.push(body.clone()),
                (None, _) => return Err(format!("there is none for the step {step}; add it with .body({step:?}, ..)")),
                (Some(_), Some(_)) => return Err(format!("there are two for the step {step}; leave one out")),
            }
        }
        self.bodies = arranged;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(order: Order) -> Result<Vec<Bytes>, String> {
        let mut order = order;
        order.arrange(["payment", "dispatch"].into_iter())?;
        Ok(order.bodies)
    }

    #[test]
    fn bodies_belong_to_the_steps_that_they_name() {
        let order = || Order::new("order-1", "{}");
        let right = Ok(vec![Bytes::from("1"), Bytes::from("2")]);
        assert_eq!(arranged(order().body("payment", "1").body("dispatch", "2")), right);
        assert_eq!(arranged(order().body("dispatch", "2").body("payment", "1")), right, "whatever stands first");
        let said = |order| arranged(order).unwrap_err();
        assert_eq!(
            said(order().body("payment", "1")),
            "there is none for the step dispatch; add it with .body(\"dispatch\", ..)"
        );
        assert_eq!(
            said(order().body("payment", "1").body("payment", "2").body("dispatch", "3")),
            "there are two for the step payment; leave one out"
        );
        let other = order().body("payment", "1").body("dispatch", "2").body("refund", "3");
        assert_eq!(said(other), "there is one for \"refund\", and the flow's steps are payment, dispatch");
    }
}
