/// Where reading a JSON body stands. Its words are made for errors alone: a body may hold a million places.
enum BodyPlace {
    case body
    case field(String)
    case rollout(Int)
    case member(Int, String)
    /// A member of an object in a rollout: of a view, say.
    case part(Int, String, String)

    var text: String {
        switch self {
        case .body: ""
        case .field(let name): name
        case .rollout(let index): "rollouts[\(index)]"
        case .member(let index, let name): "rollouts[\(index)].\(name)"
        case .part(let index, let name, let part): "rollouts[\(index)].\(name).\(part)"
        }
    }
}
