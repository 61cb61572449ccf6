/// One `name=value` of a request's query, decoded (RFC 3986 percent-encoding, `+` as space as HTML forms write it).
///
/// `name` without `=` has the empty value. Items keep the order in which they were sent; a name may repeat.
package struct QueryItem: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
