using ArrSession;

/// <summary>Access to the native side, which applications do not have.</summary>
internal static unsafe class NativeSide
{
    /// <summary>Waits until the native operation has ended, without delivering its event.</summary>
    internal static void AwaitEnd(PendingOperation operation)
    {
        int status = Native.arr_operation_wait(operation.Handle.Value, null, 20000, null);
        Check.Equal(Native.ARR_OK, status, "a wait for the end of an operation");
    }

    /// <summary>Waits for an event like a background pump, but without a time limit.</summary>
    internal static int NextEvent(ArrClient client)
    {
        arr_event native = Blank.Event;
        return Native.arr_client_next_event(client.Handle.Value, &native, Native.ARR_WAIT_FOREVER, null);
    }
}
