/// A position in a JSON body. Its text is built only for errors, because a body may have a million positions.
enum BodyPlace {
    case body
    case field(String)
    case rollout(Int)
    case member(Int, String)
    /// A member of an object in a rollout, such as a view.
    case groupMember(Int, String, String)

    var text: String {
        switch self {
        case .body: ""
        case .field(let name): name
        case .rollout(let index): "rollouts[\(index)]"
        case .member(let index, let name): "rollouts[\(index)].\(name)"
        case .groupMember(let index, let name, let member): "rollouts[\(index)].\(name).\(member)"
        }
    }
}
