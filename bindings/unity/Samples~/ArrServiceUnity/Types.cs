using System;

namespace ArrSession.Compatibility
{
    // What code that was written against ARRServiceUnity hands over and gets, under the names that it uses.

    public enum RenderingSessionVmSize { None, Standard, Premium }

    public enum RenderingSessionStatus { Unknown, Starting, Ready, Stopped, Expired, Error }

    public enum Result { Success, Fail }

    /// <summary>Account and service. Give a key, or one of the tokens.</summary>
    public struct SessionConfiguration
    {
        /// <summary>Where the account was made.</summary>
        public string AccountDomain;

        /// <summary>Where sessions run; empty: where the account was made.</summary>
        public string RemoteRenderingDomain;

        /// <summary>The account's id, a GUID.</summary>
        public string AccountId;

        /// <summary>The account's key: in the Editor only, unless it is the emulator's public one.</summary>
        public string AccountKey;

        /// <summary>A token of Microsoft Entra ID.</summary>
        public string AuthenticationToken;

        /// <summary>A token of the service's token service.</summary>
        public string AccessToken;

        public SessionConfiguration(string accountDomain, string remoteRenderingDomain, string accountId, string accountKey)
        {
            AccountDomain = accountDomain;
            RemoteRenderingDomain = remoteRenderingDomain;
            AccountId = accountId;
            AccountKey = accountKey;
            AuthenticationToken = null;
            AccessToken = null;
        }
    }

    public struct RenderingSessionCreationOptions
    {
        public RenderingSessionVmSize Size;
        public TimeSpan MaxLease;

        public RenderingSessionCreationOptions(RenderingSessionVmSize size, int maxLeaseHours, int maxLeaseMinutes)
        {
            Size = size;
            // Hours beyond a day and minutes beyond an hour count in full.
            MaxLease = TimeSpan.FromMinutes(maxLeaseHours * 60.0 + maxLeaseMinutes);
        }
    }

    public struct RenderingSessionUpdateOptions
    {
        /// <summary>The whole lease, not what is added to it.</summary>
        public TimeSpan MaxLease;

        public RenderingSessionUpdateOptions(int maxLeaseHours, int maxLeaseMinutes)
        {
            MaxLease = TimeSpan.FromMinutes(maxLeaseHours * 60.0 + maxLeaseMinutes);
        }
    }

    public struct RenderingSessionProperties
    {
        public RenderingSessionStatus Status;
        public RenderingSessionVmSize Size;
        public string Id;
        public string Hostname;
        public string Message;
        public int ElapsedTimeInMinutes;
        public int MaxLeaseInMinutes;
        public int HandshakePort;
        public int ArrInspectorPort;
    }

    /// <summary>How a request went.</summary>
    public struct SessionGeneralContext
    {
        public Result Result;
        public uint HttpResponseCode;
        public string ErrorMessage;
        public string ResponseCorrelationVector;
    }

    public class SessionContextResult
    {
        public Result ErrorCode { get { return Context.Result; } }
        public SessionGeneralContext Context { get; internal set; }
    }

    public sealed class RenderingSessionPropertiesResult : SessionContextResult
    {
        public RenderingSessionProperties SessionProperties { get; internal set; }
    }

    public sealed class RenderingSessionPropertiesArrayResult : SessionContextResult
    {
        public RenderingSessionProperties[] SessionProperties { get; internal set; }
    }
}
