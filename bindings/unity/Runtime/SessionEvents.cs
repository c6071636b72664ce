using System;
using UnityEngine.Events;

namespace ArrSession.Unity
{
    // Unity serializes a generic event only through a non-generic subclass.

    /// <summary>Passes a session's status.</summary>
    [Serializable]
    public sealed class SessionStatusEvent : UnityEvent<SessionStatus> { }

    /// <summary>Passes a text: a host name, or a problem and what to do about it.</summary>
    [Serializable]
    public sealed class SessionTextEvent : UnityEvent<string> { }

    /// <summary>Passes a duration in minutes.</summary>
    [Serializable]
    public sealed class SessionMinutesEvent : UnityEvent<float> { }
}
