using System;
using UnityEngine.Events;

namespace ArrSession.Unity
{
    // The engine shows generic events in the inspector only by a class of their own.

    /// <summary>A status of the session.</summary>
    [Serializable]
    public sealed class SessionStatusEvent : UnityEvent<SessionStatus> { }

    /// <summary>A text: a host name, or what went wrong and what to do.</summary>
    [Serializable]
    public sealed class SessionTextEvent : UnityEvent<string> { }

    /// <summary>A length of time in minutes.</summary>
    [Serializable]
    public sealed class SessionMinutesEvent : UnityEvent<float> { }
}
